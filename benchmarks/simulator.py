"""The simulator by itself: how many people it makes a second, beside the bytes it writes being copied."""

from __future__ import annotations

import csv
import resource
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measuring import Figure, Work, prefixed, rounded, take_turns
from pipelines.simulation.simulate import CHAPTER, simulate

_PEOPLE = 8 * CHAPTER
"""Whole chapters, as many for each of two workers."""
_SEED = 1
_OURS, _BARE = "wholechart", "the same bytes copied"


def measure(scale: float) -> Figure:
    """Return people a second of the wall's clock, by as many processes as there are cores.

    Raises:
        AssertionError: if truth does not tell of everybody: a figure over a group that is not whole says nothing.
    """
    people = max(2, int(_PEOPLE * scale) // CHAPTER) * CHAPTER
    with tempfile.TemporaryDirectory(prefix="wholechart-bench-", ignore_cleanup_errors=True) as scratch:
        group, copied = Path(scratch) / "group", Path(scratch) / "copied"
        rates = take_turns(
            {_OURS: lambda: _simulate(people, group), _BARE: lambda: _copy(people, group, copied)}, cpu=_cpu
        )
        truth = group / "truth"
        assert sum(1 for _ in _rows(truth / "persons.csv")) == people
        encounters = sum(1 for _ in _rows(truth / "visits.csv"))
        messages = sum(int(row["sent"]) for row in _rows(truth / "messages.csv"))
        size = sum(path.stat().st_size for path in group.rglob("*") if path.is_file())
    return Figure(
        benchmark="simulator",
        unit="people a second",
        results=rates.wall,
        input=f"{people:,} people, seed {_SEED}: {messages:,} messages and transactions, {size / 1e6:,.0f} MB",
        notes="By the wall's clock, chapters side by side on all cores. Feeds, the fourth location's script and every"
        " truth file are written; the goal is 500. The copy is made by one process, from the disk cache.",
        details={
            "people": people,
            "encounters a person": rounded(encounters / people),
            "messages and transactions a person": rounded(messages / people),
            "KB a person": rounded(size / 1e3 / people),
            **{f"CPU ms a person, {name}": rounded(1000 / rate) for name, rate in rates.cpu.items()},
            **prefixed("people a CPU second:", rates.cpu),
        },
    )


def _simulate(people: int, out: Path) -> Work:
    shutil.rmtree(out, ignore_errors=True)

    def work() -> int:
        simulate(people, _SEED, out)
        return people

    return work


def _copy(people: int, group: Path, out: Path) -> Work:
    shutil.rmtree(out, ignore_errors=True)

    def work() -> int:
        shutil.copytree(group, out)
        return people

    return work


def _cpu() -> float:
    """Return the CPU seconds of this process and of all that it has ended."""
    usages = (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as stream:
        yield from csv.DictReader(stream)
