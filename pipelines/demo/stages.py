"""What each stage of a demonstration took: time, processor time, and the most memory of all processes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from pipelines.demo.footprint import Footprint


@dataclass(frozen=True, slots=True)
class Cost:
    """What one stage took."""

    seconds: float
    cpu_seconds: float
    peak_mb: int


@dataclass(slots=True)
class Stages:
    """The stages gone through so far."""

    footprint: Footprint
    costs: dict[str, Cost] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Note what the block takes, under its name."""
        started, cpu = time.perf_counter(), self.footprint.cpu_seconds()
        self.footprint.lap()
        yield
        self.costs[name] = Cost(
            round(time.perf_counter() - started, 1),
            round(self.footprint.cpu_seconds() - cpu, 1),
            round(self.footprint.lap()),
        )
