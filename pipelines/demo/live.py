"""Following messages live: somebody new comes in, message by message, and the chart is asked until it shows each.

The newcomer is one more person of the simulated group, written by its own writers and added to its truth, so that what
is compared afterwards holds them too.
"""

from __future__ import annotations

import csv
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import httpx

from connectors.transport.mllp import MLLPClient
from hub_core.errors import WholechartError
from hub_core.feeds import load_feeds
from pipelines.demo.api import address_of, connect, token_of
from pipelines.demo.house import RunningHouse, running_house
from pipelines.demo.newcomer import FIRST_CHAPTER, newcomer
from pipelines.demo.scenario import simulated
from pipelines.simulation.facts_truth import Table, truth_tables
from pipelines.simulation.feeds import FEEDS
from pipelines.simulation.hl7v2.messages import Systems
from pipelines.simulation.money import Books

if TYPE_CHECKING:
    from pipelines.commands.progress import Say
    from pipelines.installation import Installation
    from pipelines.simulation.sending import Sent
    from pipelines.simulation.world import Chapter

_FEEDS = ("family-practice-adt", "family-practice-lab", "family-practice-scheduling")
_PATIENCE = 30.0
_PAUSE = 0.005


@dataclass(frozen=True, slots=True)
class Sight:
    """One message, and the fact of the chart that it became."""

    message: str
    """What it is: ADT^A04."""
    feed: str
    shown: str
    """What the chart shows of it."""
    milliseconds: float
    """From sending it until the chart, asked again and again, answered with it."""


@dataclass(frozen=True, slots=True)
class _Fact:
    """One version of one resource, as a chart shows it."""

    resource: str
    version: int
    feed: str
    words: str


class _Chart:
    """The chart of one person, read through the API as a page reads it."""

    def __init__(self, api: httpx.Client, mrn: str) -> None:
        self._api = api
        self._mrn = mrn

    def facts(self) -> frozenset[_Fact]:
        """Return what the chart shows now; nothing while nobody has the number."""
        found = self._api.post("/api/people/search", json={"identifier": self._mrn}).raise_for_status().json()
        if not found:
            return frozenset()
        chart = self._api.get(f"/api/people/{found[0]['person_id']}/chart").raise_for_status().json()
        return frozenset(map(_fact, chart["facts"]))

    def wait_for_more(self, feed: str, before: frozenset[_Fact]) -> _Fact:
        """Return what the chart shows newly from a feed, as soon as it does.

        Raises:
            WholechartError: if it takes too long.
        """
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            new = [fact for fact in self.facts() - before if fact.feed == feed]
            if new:
                return min(new, key=attrgetter("resource"))
            time.sleep(_PAUSE)
        raise WholechartError(f"the chart did not show what feed {feed} sent within {_PATIENCE:.0f} s")


def follow(installation: Installation, say: Say) -> Iterator[Sight]:
    """Send the messages of somebody new one by one, yielding each as the chart shows it.

    Uses the house that runs on this data directory, or runs one for as long as it takes.

    Raises:
        WholechartError: if a message is not taken, or the chart does not show it in time.
    """
    token, live = token_of(installation, "demo-live"), simulated(installation.settings).live_truth
    chapter = newcomer(_next_chapter(live))
    with _house(installation, token, say) as house, _api(house, token) as api:
        chart = _Chart(api, next(iter(chapter.registrations.values())).mrn)
        for sent in sorted(_messages(chapter), key=attrgetter("sent_at")):
            before, started = chart.facts(), time.perf_counter()
            _send(house, sent)
            fact = chart.wait_for_more(sent.feed, before)
            milliseconds = (time.perf_counter() - started) * 1000
            _keep_truth(live, _said_by(sent))
            yield Sight(sent.label, sent.feed, fact.words, round(milliseconds, 1))
    for table in truth_tables(chapter, Books()):
        _keep_truth(live, table)


def _messages(chapter: Chapter) -> Iterator[Sent]:
    systems = Systems(chapter, Books())
    for name in _FEEDS:
        yield from systems.messages(FEEDS[name], Random(chapter.number))  # noqa: S311


def _send(house: RunningHouse, sent: Sent) -> None:
    feed = house.feeds[sent.feed]
    with MLLPClient(house.settings.host, feed.port or 0) as client:
        if b"MSA|AA" not in client.send(sent.body):
            raise WholechartError(f"feed {sent.feed}: {sent.label} was not taken")


def _said_by(sent: Sent) -> Table:
    return "messages", [{"feed": sent.feed, "sent": 1, "repeated": 0, "rejected": 0, "processed": 1}]


def _keep_truth(folder: Path, table: Table) -> None:
    """Add rows to a truth file of a folder."""
    kind, rows = table
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{kind}.csv"
    for row in rows:
        is_new = not path.exists()
        with path.open("a", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, list(row), lineterminator="\n")
            if is_new:
                writer.writeheader()
            writer.writerow(row)


def _fact(shown: dict[str, Any]) -> _Fact:
    words = " ".join(str(shown[part]) for part in ("category", "title", "detail", "status") if shown.get(part))
    return _Fact(f"{shown['resource_type']}/{shown['resource_id']}", shown["version"], shown["feed"], words)


@contextmanager
def _house(installation: Installation, token: str, say: Say) -> Iterator[RunningHouse]:
    """Give the house that runs on this data directory, else one of our own."""
    feeds = load_feeds(installation.settings.feeds)
    running = RunningHouse(installation.settings, feeds)
    if _answers(running, token):
        yield running
        return
    say("starting listeners, API and worker")
    with running_house(installation, feeds, workers=1, say=say) as started:
        yield started


def _answers(house: RunningHouse, token: str) -> bool:
    """Return whether a house answers that knows our token: one of this data directory."""
    try:
        with _api(house, token) as api:
            return api.get("/api/session").status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


def _api(house: RunningHouse, token: str) -> httpx.Client:
    return connect(address_of(house.settings), Authorization=f"Bearer {token}")


def _next_chapter(live: Path) -> int:
    """Return the number of the next newcomer: one for each line of those who came."""
    persons = live / "persons.csv"
    return FIRST_CHAPTER + (len(persons.read_text(encoding="utf-8").splitlines()) - 1 if persons.exists() else 0)
