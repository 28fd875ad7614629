"""Trains the dictionary by which the record compresses bodies: run by hand when a next one is wanted.

    python -m benchmarks.body_dictionary ehr_pm/record/bodies_2.zdict

It is made of bodies as the record holds them, of public corpora of synthetic people and of the simulator's own: no real
person is in it. A dictionary in use is never overwritten, for what it compressed can be read by nothing else.
"""

from __future__ import annotations

import random
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

import zstandard

from benchmarks.inputs import ndjson_lines
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
"""Bodies of one type from one source, at most: what is rarer shall be in the dictionary too."""


def train(path: Path) -> None:
    """Write a dictionary to a file that is not there yet."""
    lines = ndjson_lines(_LINES)
    with tempfile.TemporaryDirectory() as folder, scratch_installation() as installation:
        run(installation, Scenario(_PEOPLE, _SEED), lambda _, *, passing=False: None, Stages(Footprint()))
        corpus = Path(folder) / "lines.ndjson"
        corpus.write_bytes(b"".join(lines.items))
        ingest(installation, new_feed("fhir"), corpus)
        samples = _samples(installation)
    dictionary = zstandard.train_dictionary(_BYTES, samples)
    with path.open("xb") as file:
        file.write(dictionary.as_bytes())
    print(f"{len(samples)} bodies, {lines.name} and a simulated group, to {len(dictionary)} bytes")


def _samples(installation: Installation) -> list[bytes | bytearray | memoryview]:
    kinds: dict[tuple[str, str], list[bytes]] = defaultdict(list)
    with installation.database.begin() as unit:
        changes.seal(unit.driver)
        after = 0
        while page := changes.read(unit.driver, after, 10_000):
            after = page[-1].seq
            for change in page:
                kinds[change.source, change.resource_type].append(change.body.encode())
    draw = random.Random(_SEED)  # noqa: S311 - draws samples, keeps no secret
    return [body for bodies in kinds.values() for body in draw.sample(bodies, min(_EACH, len(bodies)))]


if __name__ == "__main__":
    train(Path(sys.argv[1]))
