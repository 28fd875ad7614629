"""Simulated groups for tests: written once, changed as a test wants it, and taken in without a network."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, TypeAlias

from connectors import registry
from connectors.connector import Piece
from connectors.hl7v2.framing import frame
from connectors.transport.files import look
from hub_api.ingest.intake import arrival_of
from hub_core.feeds import Feed, load_feeds
from pipelines.demo.delivery import messages
from pipelines.demo.scenario import Simulation
from pipelines.installation import Installation
from pipelines.intake import Intake
from pipelines.simulation.simulate import simulate

Line: TypeAlias = dict[str, Any]
"""One intention of northgate's script."""

GROUP = 500
"""Messages stored at once."""


def simulated_group(folder: Path, *, people: int, seed: int) -> Simulation:
    """Return a group written to `folder`."""
    simulate(people, seed, folder)
    return Simulation(folder)


def copied(simulation: Simulation, folder: Path) -> Simulation:
    """Return the same group in another folder, to be changed."""
    shutil.copytree(simulation.folder, folder)
    return Simulation(folder)


def rewrite(simulation: Simulation, feed: str, change: Callable[[list[bytes]], list[bytes]]) -> None:
    """Change the list of messages that an MLLP feed sends."""
    folder = simulation.feeds / feed
    files = sorted(folder.iterdir())
    changed = change(list(messages(files)))
    for path in files:
        path.unlink()
    (folder / "000001.hl7").write_bytes(b"".join(map(frame, changed)))


def rows(simulation: Simulation, kind: str) -> list[dict[str, str]]:
    """Return what the truth says about a kind of fact."""
    path = simulation.truth / f"{kind}.csv"
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def lines_of(simulation: Simulation, wanted: Callable[[Line], bool]) -> list[Line]:
    """Return the intentions of northgate's script that are wanted."""
    script = (simulation.northgate / "month.jsonl").read_text(encoding="utf-8").splitlines()
    return [line for line in map(json.loads, script) if wanted(line)]


def leave_out(simulation: Simulation, wanted: Callable[[Line], bool]) -> None:
    """Take the first intention of a kind out of northgate's script."""
    gone = lines_of(simulation, wanted)[0]
    kept = lines_of(simulation, lambda line: line["key"] != gone["key"])
    path = simulation.northgate / "month.jsonl"
    path.write_text("".join(f"{json.dumps(line)}\n" for line in kept), encoding="utf-8")


def take_in(
    installation: Installation, simulation: Simulation, *, feeds: Iterable[str] | None = None, apply: bool = True
) -> None:
    """Store what the feeds send as listeners and folders store it, in order, then apply it."""
    known = load_feeds(simulation.feeds)
    for name in feeds if feeds is not None else sorted(known):
        files = sorted((simulation.feeds / name).iterdir())
        if known[name].transport == "mllp":
            _listen(installation, known[name], messages(files))
        else:
            _collect(installation, known[name], files)
    if apply:
        list(installation.worker().drain())


def _listen(installation: Installation, feed: Feed, bodies: Iterator[bytes]) -> None:
    connector = registry.connector("hl7v2")
    while group := [arrival_of(feed, connector, Piece(body, 1)) for body in islice(bodies, GROUP)]:
        installation.store.take(group)


def _collect(installation: Installation, feed: Feed, files: Iterable[Path]) -> None:
    for path in files:
        intake = Intake(installation, feed)
        for found in look(path, path.name):
            intake.take_one(found)
