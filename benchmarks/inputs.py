"""What benchmarks run over: files of the public corpora where they are, else the samples shipped with the product."""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import count, cycle, islice
from pathlib import Path
from typing import Generic, TypeVar

from connectors import registry
from connectors.connector import Piece

T = TypeVar("T")

SAMPLES = Path(__file__).parents[1] / "pipelines" / "samples"
"""Data shipped with the product."""

_LIMIT = 64 * 1024 * 1024
_CONTROL_ID = 9
"""Place of MSH-10 between the bars of a header."""


@dataclass(frozen=True, slots=True)
class Input(Generic[T]):
    """Something to work on, and what to call it in a figure."""

    name: str
    items: list[T]

    def first(self, limit: int) -> Input[T]:
        """Return the first few, all of them where there are no more."""
        return Input(self.name, self.items[:limit])


def corpora() -> Path | None:
    """Return the folder of public corpora, if this machine has it."""
    folder = Path(os.environ.get("WHOLECHART_CORPORA") or Path(__file__).parents[2] / "shared" / "corpora")
    return folder if folder.is_dir() else None


def hl7_messages() -> Input[bytes]:
    """Return HL7 v2 messages: admissions and laboratory results of a simulated hospital."""
    folder = corpora()
    if folder is None:
        files = sorted(SAMPLES.rglob("*.hl7"))
        return Input("the samples' HL7 v2", [body for path in files for body in _messages(path)])
    stream = folder / "hl7v2" / "streams" / "simhospital_mllp_stream.hl7"
    return Input("corpora/hl7v2/streams/simhospital_mllp_stream.hl7", list(_messages(stream)))


def ndjson_lines(limit: int) -> Input[bytes]:
    """Return up to `limit` NDJSON lines of every resource type, in the shares the whole export has."""
    folder = corpora()
    if folder is None:
        files = sorted(SAMPLES.rglob("*.ndjson"))
        return Input("the samples' NDJSON", [line for path in files for line in _lines(path)]).first(limit)
    files = sorted((folder / "fhir" / "synthea-r4-gsd").glob("*.ndjson.gz"))
    counts = [sum(1 for _ in _lines(path)) for path in files]
    share = min(1.0, limit / sum(counts))
    taken = [islice(_lines(path), max(1, round(number * share))) for path, number in zip(files, counts, strict=True)]
    return Input("corpora/fhir/synthea-r4-gsd", [line for lines in taken for line in lines])


def lines_of(resource_type: str, limit: int) -> Input[bytes]:
    """Return up to `limit` NDJSON lines of one resource type."""
    folder = corpora()
    if folder is None:
        files = sorted(SAMPLES.rglob(f"{resource_type}.ndjson"))
        return Input("the samples' NDJSON", [line for path in files for line in _lines(path)]).first(limit)
    path = folder / "fhir" / "synthea-r4-gsd" / f"{resource_type}.ndjson.gz"
    return Input("corpora/fhir/synthea-r4-gsd", list(islice(_lines(path), limit)))


def numbered(messages: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the messages again and again, each with a control id of its own, so that none is a duplicate."""
    for number, message in zip(count(1), cycle(messages), strict=False):
        header, end, rest = message.partition(b"\r")
        fields = header.split(b"|")
        fields[_CONTROL_ID] = b"B%010d" % number
        yield b"|".join(fields) + end + rest


def _messages(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        for cut in registry.connector("hl7v2").cut(stream, limit=_LIMIT):
            if isinstance(cut, Piece):
                yield cut.body


def _lines(path: Path) -> Iterator[bytes]:
    if path.suffix == ".gz":
        with gzip.open(path) as stream:
            yield from stream
    else:
        with path.open("rb") as stream:
            yield from stream
