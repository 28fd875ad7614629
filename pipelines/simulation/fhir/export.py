"""The nightly export: everything on the first night, then what changed since the last one, a file a type."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import chain
from random import Random

from pipelines.simulation.faults import Arrival, Delivery, Fault
from pipelines.simulation.feeds import SimulatedFeed
from pipelines.simulation.fhir.care import care
from pipelines.simulation.fhir.clinical import Findings
from pipelines.simulation.fhir.parties import parties
from pipelines.simulation.fhir.patients import patients
from pipelines.simulation.fhir.writing import PRACTICE, Version, line
from pipelines.simulation.group import END_INSTANT, ENDS
from pipelines.simulation.sending import Sent
from pipelines.simulation.world import Chapter

_TYPES = (
    "Organization", "Location", "Practitioner", "Patient", "Coverage", "Encounter", "Appointment", "Condition",
    "MedicationRequest", "AllergyIntolerance", "DiagnosticReport", "Observation",
)  # fmt: skip
"""In the order in which a night's files are sent: what is referred to comes first."""
_SHARE_BROKEN = 0.001
_FEWEST = 40


def _nights() -> tuple[datetime, ...]:
    """Return when exports are made: after a quarter, then every month, at last when the simulated time ends."""
    months = [(2024 + month // 12, month % 12 + 1) for month in range(1, 36)]
    nights = [datetime(year, month, 1, 2, tzinfo=PRACTICE.zone) for year, month in months]
    return (*(night.astimezone(UTC) for night in nights if night.date() <= ENDS), END_INSTANT)


NIGHTS = _nights()


class _Exports:
    """What every night's export holds of one chapter: lines by night and type."""

    def __init__(self) -> None:
        self.lines: dict[tuple[int, str], dict[str, str]] = {}

    def add(self, versions: list[Version]) -> None:
        """Add a resource, on each night in the version that was the last one by then, if it is a new one."""
        by_night = {bisect_left(NIGHTS, version.since): number for number, version in enumerate(versions, 1)}
        for night, number in by_night.items():
            if night < len(NIGHTS):
                version = versions[number - 1]
                self.lines.setdefault((night, version.type), {})[version.id] = line(version, number)

    def break_lines(self, random: Random) -> Iterator[tuple[int, str, str]]:
        """Cut lines off in the middle; each stands right in the next export. Yield night, type and id of each."""
        places = [
            (*key, name) for key, lines in self.lines.items() if key[0] < len(NIGHTS) - 1 for name in list(lines)[1:]
        ]
        if len(places) < _FEWEST:
            return
        for night, kind, name in sorted(random.sample(places, max(1, round(len(places) * _SHARE_BROKEN)))):
            whole = self.lines[night, kind][name]
            later = self.lines.setdefault((night + 1, kind), {})
            if name not in later:
                later[name] = whole
            self.lines[night, kind][name] = whole[: len(whole) * 2 // 3]
            yield night, kind, name


def export(feed: SimulatedFeed, chapter: Chapter, random: Random) -> Delivery:
    """Return the exports of a chapter; those who treat and pay stand in the first chapter's only."""
    exports = _Exports()
    fixed = ([each] for each in parties()) if chapter.number == 0 else ()
    for versions in chain(fixed, patients(chapter), care(chapter), Findings(chapter).versions()):
        exports.add(versions)
    broken: dict[tuple[int, str], int] = {}
    faults = []
    for night, kind, name in exports.break_lines(random):
        broken[night, kind] = broken.get((night, kind), 0) + 1
        faults.append(Fault("rejected", "", f"{kind}/{name}"))
    ordered = sorted(exports.lines.items(), key=lambda item: (item[0][0], _TYPES.index(item[0][1])))
    return Delivery([_arrival(feed, *key, list(lines.values()), broken.get(key, 0)) for key, lines in ordered], faults)


def _arrival(feed: SimulatedFeed, night: int, kind: str, lines: list[str], refused: int) -> Arrival:
    at = NIGHTS[night] + timedelta(seconds=_TYPES.index(kind))
    body = "".join(f"{each}\n" for each in lines).encode()
    return Arrival(at, Sent(feed.name, at, body, "ndjson", kind, len(lines)), refused=refused)
