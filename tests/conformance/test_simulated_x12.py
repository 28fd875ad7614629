"""The simulator's X12 is right by others' word: pyx12 validates it, oxedi balances it, our own check finds no fault."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from io import StringIO

import pytest

from connectors.connector import Piece
from connectors.x12.connector import X12Connector
from pipelines.simulation.billing import keep_books, truth_tables
from pipelines.simulation.chapters import live
from pipelines.simulation.money import Books
from pipelines.simulation.sending import Sent
from pipelines.simulation.world import Chapter
from pipelines.simulation.x12 import interchanges
from tests.unit.connectors.x12.interchanges import ORIGIN, cut
from tests.unit.pipelines.simulation.families import family_chapter
from tests.unit.pipelines.simulation.remittance_text import segments

PEOPLE = 80
SEED = 1
_QUALIFIED = ("AMT", "CAS", "DTM", "NM1", "REF", "SBR")


@pytest.fixture(scope="module", params=["people", "families"])
def world(request: pytest.FixtureRequest) -> tuple[Chapter, Books, list[Sent]]:
    """People as the simulator makes them, and families made by hand whose children have two covers."""
    chapter = family_chapter(2, 25) if request.param == "families" else live(SEED, 2, PEOPLE)
    books = keep_books(chapter, SEED)
    return chapter, books, list(interchanges(chapter, books))


def sets(sent: list[Sent], *suffixes: str) -> Iterator[bytes]:
    """Yield each transaction set as the house cuts it from a file."""
    for each in sent:
        if each.suffix in suffixes:
            for piece in cut(each.body, 1 << 26):
                assert isinstance(piece, Piece), "nothing is refused"
                yield piece.body


def unlike(bodies: list[bytes]) -> Iterator[bytes]:
    """Yield the largest, and those that hold a segment or qualifier that none before them does; pyx12 is slow."""
    seen: set[tuple[str, ...]] = set()
    for body in sorted(bodies, key=len, reverse=True):
        kinds = {tuple(segment[:2]) for segment in segments(body) if segment[0] in _QUALIFIED}
        kinds |= {(segment[0],) for segment in segments(body)}
        if kinds - seen:
            seen |= kinds
            yield body


def test_pyx12_accepts_every_kind_it_has_a_map_of(world: tuple[Chapter, Books, list[Sent]]) -> None:
    """It has none of 271; it cannot acknowledge an 835, so it is not asked to."""
    pyx12 = pytest.importorskip("pyx12.x12n_document")
    params = pytest.importorskip("pyx12.params").params
    logging.getLogger("pyx12").setLevel(logging.CRITICAL)
    for suffix in ("837", "835"):
        for body in unlike([each.body for each in world[2] if each.suffix == suffix]):
            acknowledgement = StringIO() if suffix == "837" else None
            text = body.decode("ascii")
            assert pyx12.x12n_document(params(), StringIO(text), acknowledgement, None, None), text


def test_oxedi_balances_every_remittance_and_counts_what_the_truth_says(
    world: tuple[Chapter, Books, list[Sent]],
) -> None:
    oxedi = pytest.importorskip("oxedi")
    chapter, books, sent = world
    answered: Counter[tuple[str, str, Decimal, Decimal]] = Counter()
    adjusted = Decimal(0)
    for each in sent:
        if each.suffix == "835":
            read = oxedi.parse(each.body)
            assert list(read.diagnostics) == []
            for row in read.tables["claims"].to_pandas().itertuples():
                key = row.claim_id.decode(), row.claim_status.decode()
                answered[(*key, row.charge_amount, row.payment_amount)] += 1
            adjusted += sum(read.tables["adjustments"].to_pandas()["amount"], Decimal(0))
    truth = dict(truth_tables(chapter, books))
    stated = Counter(
        (
            str(row["account_number"]),
            str(row["status"]),
            Decimal(str(row["charged_cents"])) / 100,
            Decimal(str(row["paid_cents"])) / 100,
        )
        for row in truth["answers"]
    )
    assert answered == stated
    assert adjusted * 100 == sum(int(str(row["cents"])) for row in truth["adjustments"])


def test_our_own_check_finds_no_fault(world: tuple[Chapter, Books, list[Sent]]) -> None:
    checked = 0
    for body in sets(world[2], "837", "835", "271"):
        issues = list(X12Connector().check(body))
        assert issues == [], body
        checked += 1
    assert checked == sum(each.records for each in world[2])


def test_every_claim_and_remittance_is_taken_into_the_house(world: tuple[Chapter, Books, list[Sent]]) -> None:
    """As one resource each: a claim by account, payer and frequency, an answer by its place in its remittance."""
    found: Counter[str] = Counter()
    ids: dict[str, set[str]] = {"Claim": set(), "ExplanationOfBenefit": set(), "PaymentReconciliation": set()}
    for body in sets(world[2], "837", "835"):
        for outcome in X12Connector().convert(body, ORIGIN):
            assert (outcome.state, outcome.issues) == ("processed", ())
            for fact in outcome.facts:
                kind = fact.resource["resourceType"]
                found[kind] += 1
                if kind in ids:
                    ids[kind].add(fact.resource["id"])
    books = world[1]
    assert len(ids["Claim"]) == found["Claim"] == len(books.claims)
    assert len(ids["ExplanationOfBenefit"]) == sum(len(each.answers) for each in books.remittances)
    assert len(ids["PaymentReconciliation"]) == len(books.remittances)
