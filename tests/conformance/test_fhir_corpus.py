"""Public FHIR data converts whole: every resource, every reference, every digit."""

from __future__ import annotations

import gzip
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.connector import Origin, Outcome, Piece
from connectors.fhir.connector import FHIRConnector
from connectors.transport.files import FoundFile, open_stream, walk
from hub_core.fhir import canonical, references
from hub_core.fhir.references import target

CONNECTOR = FHIRConnector()
NORTH = Origin("north")
LIMIT = 64 << 20


def lines_of(path: Path) -> int:
    with gzip.open(path) as file:
        return file.read().count(b"\n")


def pieces(folder: Path) -> Iterator[Piece]:
    for found in walk([folder]):
        if isinstance(found, FoundFile):
            with open_stream(found) as stream:
                for piece in found.connector.cut(stream, limit=LIMIT):
                    assert isinstance(piece, Piece)
                    yield piece


def outcomes(folder: Path) -> Iterator[Outcome]:
    for piece in pieces(folder):
        converted = list(CONNECTOR.convert(piece.body, NORTH))
        assert len(converted) == piece.records
        yield from converted


@pytest.mark.parametrize(
    ("folder", "processed", "others"),
    [
        ("smart-bulk-10-patients", 7160, {"filtered": 4}),  # four lines of the export's own log
        ("synthea-hiv-bundles", 22, {}),
        ("pathling-bundles", 4, {}),
        ("us-core-examples", 228, {}),
    ],
)
def test_every_record_of_a_public_corpus_is_processed(
    corpora: Path, folder: str, processed: int, others: dict[str, int]
) -> None:
    states = Counter(outcome.state for outcome in outcomes(corpora / "fhir" / folder))
    assert states == {"processed": processed, **others}


@pytest.mark.slow
def test_every_line_of_the_largest_corpus_is_processed(corpora: Path) -> None:
    folder = corpora / "fhir" / "synthea-r4-gsd"
    lines = sum(lines_of(path) for path in folder.glob("*.ndjson.gz"))
    states = Counter(outcome.state for outcome in outcomes(folder))
    assert states == {"processed": lines}


@pytest.mark.parametrize("resource_type", ["Patient", "Practitioner", "AllergyIntolerance", "Goal", "Immunization"])
def test_lines_of_the_largest_corpus_are_processed(corpora: Path, resource_type: str) -> None:
    path = corpora / "fhir" / "synthea-r4-gsd" / f"{resource_type}.ndjson.gz"
    found = list(outcomes(path))
    assert len(found) == lines_of(path)
    assert {(outcome.kind, outcome.state) for outcome in found} == {(resource_type, "processed")}


@pytest.mark.parametrize("folder", ["synthea-hiv-bundles", "pathling-bundles"])
def test_references_inside_a_bundle_reach_its_entries_or_are_logical(corpora: Path, folder: str) -> None:
    for outcome in outcomes(corpora / "fhir" / folder):
        sent = {f"{fact.resource['resourceType']}/{fact.resource['id']}" for fact in outcome.facts}
        referred = {text for fact in outcome.facts for text in references.collect(fact.resource)}
        assert referred <= sent


def test_every_literal_reference_of_the_examples_has_an_id_of_ours(corpora: Path) -> None:
    ours = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
    for outcome in outcomes(corpora / "fhir" / "us-core-examples"):
        for fact in outcome.facts:
            for text in references.collect(fact.resource):
                found = target(text)
                assert found is not None
                assert ours.fullmatch(found.resource_id)


def test_numbers_of_the_examples_keep_their_digits(corpora: Path) -> None:
    number = re.compile(rb"(?<=: )-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?=[,\s}\]])")
    for path in sorted((corpora / "fhir" / "us-core-examples").glob("*bservation*.json")):
        text = path.read_bytes()
        written = canonical.dumps(canonical.loads(text), indent=True)
        assert sorted(number.findall(written)) == sorted(number.findall(text)), path.name
