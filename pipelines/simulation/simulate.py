"""Runs the simulation: chapters side by side in processes, their messages merged into the files of each feed.

A chapter writes what it sends by each feed as a run, sorted by arrival; the runs of all chapters are then merged, so
that a feed is in the order of time whatever the number of people, and memory holds one chapter and one file.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import chain
from operator import call
from pathlib import Path
from random import Random

from pipelines.simulation import billing
from pipelines.simulation.chapters import live
from pipelines.simulation.facts_truth import fault_rows, truth_tables
from pipelines.simulation.faults import Arrival, Delivery, deliver, misdated
from pipelines.simulation.feeds import FEEDS, SimulatedFeed, write_feed_files
from pipelines.simulation.fhir.export import export
from pipelines.simulation.hl7v2.messages import Systems
from pipelines.simulation.money import Books
from pipelines.simulation.northgate.month import month_of
from pipelines.simulation.northgate.writing import write_month
from pipelines.simulation.runs import merge_runs, write_run
from pipelines.simulation.truth import Row, TruthFiles
from pipelines.simulation.world import Chapter
from pipelines.simulation.x12 import interchanges

CHAPTER = 1000
"""People of a chapter; the last one may have fewer."""
NORTHGATE = "northgate"
"""Folder of the location that runs on the core itself: its patients are people of the first chapter."""


@dataclass(frozen=True, slots=True)
class _Task:
    """One chapter to be written."""

    seed: int
    number: int
    people: int
    folder: Path


def simulate(people: int, seed: int, out: Path) -> None:
    """Write feeds, a month's script and truth of a simulated group with `people` persons; same seed, same bytes.

    Raises:
        FileExistsError: if `out` holds feeds or truth already.
    """
    for name in ("feeds", "truth"):
        (out / name).mkdir(parents=True)
    write_feed_files(out / "feeds")
    work = out / ".chapters"
    tasks = [
        _Task(seed, number, min(CHAPTER, people - number * CHAPTER), work / f"{number:06d}")
        for number in range(-(-people // CHAPTER))
    ]
    try:
        folders = [task.folder for task in tasks]
        with _workers(min(len(tasks), os.cpu_count() or 1)) as each:
            list(each(_write_chapter, tasks))
            list(each(call, _joins(folders, out)))
        (folders[0] / NORTHGATE).rename(out / NORTHGATE)
    finally:
        shutil.rmtree(work, ignore_errors=True)


@contextmanager
def _workers(count: int) -> Iterator[Callable[..., Iterator[None]]]:
    """Give a `map` over processes of their own if there are to be several; what each task writes is its own."""
    if count < 2:
        yield map
        return
    with ProcessPoolExecutor(count, multiprocessing.get_context("spawn")) as pool:
        yield pool.map


def _joins(folders: list[Path], out: Path) -> list[Callable[[], None]]:
    """Return what joins the chapters: every feed, the largest first so that all workers end together, and the truth."""
    runs = {feed: [folder / feed for folder in folders] for feed in FEEDS}
    sizes = {feed: sum(path.stat().st_size for path in paths) for feed, paths in runs.items()}
    feeds = sorted(runs, key=sizes.__getitem__, reverse=True)
    return [
        *(partial(merge_runs, runs[feed], out / "feeds" / feed) for feed in feeds),
        partial(_join_truth, [folder / "truth" for folder in folders], out / "truth"),
    ]


@contextmanager
def _without_collector() -> Iterator[None]:
    """Leave cycles alone: a chapter has none, and looking for them among its facts takes a fifth of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _write_chapter(task: _Task) -> None:
    """Write the runs and the truth of one chapter, and forget it before anybody looks for cycles again."""
    task.folder.mkdir(parents=True)
    with _without_collector():
        _tell(task)


def _tell(task: _Task) -> None:
    """Let the people of a chapter live, and write down what systems send of it and what is true."""
    with TruthFiles(task.folder / "truth") as truth:
        chapter = live(task.seed, task.number, task.people)
        books = billing.keep_books(chapter, task.seed)
        for kind, rows in chain(truth_tables(chapter, books), billing.truth_tables(chapter, books)):
            truth.add(kind, rows)
        for feed, delivery in _deliveries(chapter, books, task.seed):
            write_run(task.folder / feed.name, task.number, ((each.at, each.sent) for each in delivery.arrivals))
            truth.add("messages", [_counted(feed, delivery.arrivals)])
            truth.add("faults", fault_rows(task.number, feed, delivery.faults))
        if task.number == 0:
            write_month(month_of(chapter, task.seed), task.folder / NORTHGATE)


def _deliveries(chapter: Chapter, books: Books, seed: int) -> Iterator[tuple[SimulatedFeed, Delivery]]:
    """Yield every feed with what arrives by it."""
    systems = Systems(chapter, books)
    by_feed: dict[str, list[Arrival]] = {}
    for sent in interchanges(chapter, books):
        by_feed.setdefault(sent.feed, []).append(Arrival(sent.sent_at, sent))
    for feed in FEEDS.values():
        random = Random(f"{seed}:{chapter.number}:{feed.name}")  # noqa: S311
        if feed.format == "hl7v2":
            wrong = misdated(chapter.visits, chapter.registrations, random) if feed.name == "hospital-adt" else []
            yield feed, deliver(feed, systems.messages(feed, random, wrong), random, wrong)
        elif feed.format == "fhir":
            yield feed, export(feed, chapter, random)
        else:
            yield feed, Delivery(by_feed.get(feed.name, []))


def _counted(feed: SimulatedFeed, arrivals: Iterable[Arrival]) -> Row:
    """Return the row of truth that counts a feed's records as the house does."""
    sent = repeated = rejected = 0
    for each in arrivals:
        sent += each.sent.records
        repeated += each.sent.records if each.is_repeat else 0
        rejected += each.refused
    return {
        "feed": feed.name,
        "sent": sent,
        "repeated": repeated,
        "rejected": rejected,
        "processed": sent - repeated - rejected,
    }


def _join_truth(folders: list[Path], target: Path) -> None:
    """Write the chapters' files of truth one after another, under one header."""
    for folder in folders:
        for part in sorted(folder.glob("*.csv")):
            with part.open("rb") as source, (target / part.name).open("ab") as joined:
                header = source.readline()
                if joined.tell() == 0:
                    joined.write(header)
                shutil.copyfileobj(source, joined)
