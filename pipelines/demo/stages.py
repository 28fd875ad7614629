"""What each stage of a demonstration took: time, processor time, and the most memory of all processes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from pipelines.demo.memory import PeakMemory


@dataclass(frozen=True, slots=True)
class Cost:
    """What one stage took."""

    seconds: float
    cpu_seconds: float
    peak_mb: int


@dataclass(slots=True)
class Stages:
    """The stages gone through so far."""

    memory: PeakMemory
    cpu: Callable[[], float] = time.process_time
    """The processor time of all processes that do the work."""
    costs: dict[str, Cost] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Note what the block takes, under its name."""
        started, cpu = time.perf_counter(), self.cpu()
        self.memory.lap()
        yield
        self.costs[name] = Cost(
            round(time.perf_counter() - started, 1), round(self.cpu() - cpu, 1), round(self.memory.lap())
        )
