"""Trains the dictionaries by which bodies and messages are compressed: run by hand when next ones are wanted.

    python -m benchmarks.dictionaries ehr_pm/record/bodies_2.zdict hub_core/sealed_2.zdict

They are made of what an installation holds of public corpora of synthetic people and of the simulator's own: no real
person is in them. A dictionary in use is never overwritten, for what it compressed can be read by nothing else.
"""

from __future__ import annotations

import random
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeAlias

import zstandard

from benchmarks.inputs import hl7_messages, ndjson_lines
from benchmarks.scratch import ingest, new_feed, scratch_installation
from ehr_pm.record import changes
from pipelines.demo.footprint import Footprint
from pipelines.demo.run import run
from pipelines.demo.scenario import Scenario
from pipelines.demo.stages import Stages
from pipelines.installation import Installation

_BYTES = 110_000
_LINES = 12_000
_PEOPLE = 60
_SEED = 7
"""Another group than the one that disk is measured on."""
_EACH = 400
"""Samples of one kind from one source, at most: what is rarer shall be in the dictionary too."""
_LARGEST = 20_000
"""Bytes of a message that is a sample; a file of many lines needs no dictionary."""

Samples: TypeAlias = list[bytes | bytearray | memoryview]


def train(of_bodies: Path, of_messages: Path) -> None:
    """Write dictionaries to files that are not there yet."""
    with tempfile.TemporaryDirectory() as folder, scratch_installation() as installation:
        run(installation, Scenario(_PEOPLE, _SEED), lambda _, *, passing=False: None, Stages(Footprint()))
        messages = _drawn([*_messages(installation), *(("corpus", body) for body in hl7_messages().items)])
        corpus = Path(folder) / "lines.ndjson"
        corpus.write_bytes(b"".join(ndjson_lines(_LINES).items))
        ingest(installation, new_feed("fhir"), corpus)
        bodies = _drawn(_bodies(installation))
    for path, samples in ((of_bodies, bodies), (of_messages, messages)):
        with path.open("xb") as file:
            file.write(zstandard.train_dictionary(_BYTES, samples).as_bytes())
        print(f"{path}: of {len(samples)} samples")


def _bodies(installation: Installation) -> Iterator[tuple[str, bytes]]:
    with installation.database.begin() as unit:
        changes.seal(unit.driver)
        after = 0
        while page := changes.read(unit.driver, after, 10_000):
            after = page[-1].seq
            for change in page:
                yield f"{change.source} {change.resource_type}", change.body.encode()


def _messages(installation: Installation) -> Iterator[tuple[str, bytes]]:
    query = "SELECT feed, kind, shelf, array_agg(message_id) FROM message WHERE size <= %s GROUP BY feed, kind, shelf"
    with installation.database.begin() as unit:
        for feed, kind, shelf, message_ids in unit.driver.execute(query, (_LARGEST,)).fetchall():
            for body in installation.store.bodies.read(unit.driver, shelf, message_ids).values():
                yield f"{feed} {kind}", body


def _drawn(found: Iterable[tuple[str, bytes]]) -> Samples:
    kinds: dict[str, list[bytes]] = defaultdict(list)
    for kind, sample in found:
        kinds[kind].append(sample)
    draw = random.Random(_SEED)  # noqa: S311 - draws samples, keeps no secret
    return [sample for of_kind in kinds.values() for sample in draw.sample(of_kind, min(_EACH, len(of_kind)))]


if __name__ == "__main__":
    train(Path(sys.argv[1]), Path(sys.argv[2]))
