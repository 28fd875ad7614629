"""How a figure is taken: contenders in turn over several rounds, on one clock, the median of each, written as JSON.

Machines are shared and noisy, so ratios between contenders of one run are what counts; rates are for orientation, and
with each figure it is kept how fast the machine just was.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TypeAlias

from hub_core.clock import now

RESULTS = Path(__file__).parent / "results"
"""Figures that are committed."""
LOCAL = RESULTS / "local"
"""Figures of quick runs, which are not."""

Clock: TypeAlias = Callable[[], float]
"""Seconds since some moment: of the wall, or of CPU time."""
Work: TypeAlias = Callable[[], int]
"""Does the work once and returns how many units it did."""
Contender: TypeAlias = Callable[[], Work]
"""Makes ready, unmeasured, and returns the work to measure."""


@dataclass(frozen=True, slots=True)
class Figure:
    """What one benchmark found."""

    benchmark: str
    unit: str
    results: Mapping[str, float]
    """The figure of each contender; `wholechart` is ours."""
    input: str
    notes: str
    details: Mapping[str, float] = field(default_factory=dict)

    def write(self, folder: Path) -> Path:
        """Write the figure to a folder and return the file."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self.benchmark}.json"
        body = {
            **asdict(self),
            "command": f"wholechart bench {self.benchmark}",
            "machine": machine(),
            "at": now().isoformat(timespec="seconds"),
        }
        path.write_text(json.dumps(body, indent=1) + "\n", encoding="utf-8")
        return path


@dataclass(frozen=True, slots=True)
class Rates:
    """Units per second of every contender, by each clock: the median of the rounds."""

    wall: dict[str, float]
    cpu: dict[str, float]


def machine() -> str:
    """Return what the figures were taken on, how busy it was, and how fast."""
    load, python = os.getloadavg()[0], f"Python {platform.python_version()}"
    speed = f"{milliseconds(pace()):.0f} ms a million additions"
    return f"{os.cpu_count()} cores, {python}, {platform.system()}, load {load:.1f}, {speed}"


def pace() -> float:
    """Return the seconds that a million additions take here and now: the machine's speed changes by the minute."""
    started, total = time.perf_counter(), 0
    for number in range(1_000_000):
        total += number
    return time.perf_counter() - started


def take_turns(contenders: Mapping[str, Contender], *, rounds: int = 3, cpu: Clock = time.process_time) -> Rates:
    """Let the contenders work in turn, so that what else the machine does meets all of them alike.

    Args:
        contenders: by name.
        rounds: how often each works.
        cpu: the CPU time of all processes that do the work.
    """
    walls: dict[str, list[float]] = {name: [] for name in contenders}
    cpus: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, make_ready in contenders.items():
            work = make_ready()
            wall_before, cpu_before = time.perf_counter(), cpu()
            count = work()
            walls[name].append(count / max(time.perf_counter() - wall_before, 1e-9))
            cpus[name].append(count / max(cpu() - cpu_before, 1e-9))
    return Rates(medians(walls), medians(cpus))


def medians(taken: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """Return the median of what was taken of each."""
    return {name: rounded(statistics.median(values)) for name, values in taken.items()}


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that `share` of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def milliseconds(seconds: float) -> float:
    """Return a duration as people compare it."""
    return rounded(seconds * 1000)


def rounded(value: float) -> float:
    """Return a figure with the digits it deserves: four that count."""
    return float(f"{value:.4g}")


def prefixed(prefix: str, values: Mapping[str, float]) -> dict[str, float]:
    """Return values under longer names, for the details of a figure."""
    return {f"{prefix} {name}": value for name, value in values.items()}
