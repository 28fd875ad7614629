"""A hundredth of a large lake changes: the CPU time of making that part of the warehouse anew, beside all of it."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeVar

from benchmarks.measuring import Figure, pace, prefixed, rounded
from benchmarks.volume import change_some, write_volume
from pipelines.dbt_models import project_folder
from pipelines.lake.manifest import load_manifest
from pipelines.warehouse import change_marts, change_views, copy_warehouse, make_marts, make_views

T = TypeVar("T")

_RESOURCES: Final = 300_000
"""Resources in the lake, unless the environment says how many: twenty million took 10 GB of disk and 11 minutes."""
_CHANGED: Final = 100
"""One of so many resources changes."""
_TIMES: Final = 5
"""How often the change is made, each time from the same warehouse: it is short, and the machine now slow, now fast."""


@dataclass(slots=True)
class _Spent:
    """CPU seconds of this process by stage, and what the machine could have added up meanwhile at its pace."""

    stages: dict[str, float] = field(default_factory=dict)
    additions: float = 0
    """In millions (`pace`)."""

    def on(self, stage: str, work: Callable[[], T]) -> T:
        """Do a stage and return what comes of it."""
        pace_before, before = pace(), time.process_time()
        done = work()
        spent = time.process_time() - before
        self.stages[stage] = rounded(spent)
        self.additions += spent / ((pace_before + pace()) / 2)
        return done

    @property
    def whole(self) -> float:
        """Return the CPU seconds of all stages."""
        return rounded(sum(self.stages.values()))


def measure(scale: float) -> Figure:
    """Return the share of a whole build's CPU time that a change of one hundredth costs."""
    resources = int(os.environ.get("WHOLECHART_BENCH_RESOURCES", _RESOURCES * scale))
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        lake = folder / "lake"
        manifest = write_volume(lake, resources)
        whole = _make(folder, lake)
        changed = change_some(lake, _CHANGED)
        changes = [_change(folder, lake, manifest.last_seq) for _ in range(_TIMES)]
        change = sorted(changes, key=lambda spent: spent.whole)[_TIMES // 2]
        size = (folder / "next.duckdb").stat().st_size
    share = change.whole / whole.whole
    return Figure(
        benchmark="incremental_warehouse",
        unit="CPU seconds of lake to marts, views and models and tests",
        results={"wholechart": change.whole, "the whole build": whole.whole},
        input=f"{manifest.last_seq:,} resources in the lake; then {changed:,} of them, drawn at random, are corrected",
        notes="A change is drawn from all types alike, so it touches far more people than a day's messages would. It is"
        f" made {_TIMES} times over, each time from the same warehouse, and the median told."
        " What both kinds of build need alike is left out: starting the engines, and reading the record. Some seven"
        " hundred statements cost a change a few seconds however small it is: its share falls as the lake grows.",
        details={
            "resources": manifest.last_seq,
            "changed": changed,
            "share of the whole build": rounded(share),
            "share of the whole build, both at the pace of the machine meanwhile": rounded(
                change.additions / whole.additions
            ),
            "bytes of the warehouse": size,
            "change, CPU s: fastest": min(spent.whole for spent in changes),
            "change, CPU s: slowest": max(spent.whole for spent in changes),
            **prefixed("whole, CPU s:", whole.stages),
            **prefixed("change, CPU s:", change.stages),
        },
    )


def _make(folder: Path, lake: Path) -> _Spent:
    """Make everything; dbt is started and the project parsed before the clock runs."""
    spent = _Spent()
    project = project_folder()
    empty = folder / "last.duckdb"
    list(make_views(project, folder / "none", empty))
    make_marts(project, empty, folder / "dbt")
    empty.unlink()
    spent.on("views", lambda: list(make_views(project, lake, empty)))
    spent.on("models and tests", lambda: make_marts(project, empty, folder / "dbt"))
    return spent


def _change(folder: Path, lake: Path, after: int) -> _Spent:
    assert load_manifest(lake).last_seq > after
    spent = _Spent()
    with spent.on("copy", lambda: copy_warehouse(folder / "last.duckdb", folder / "next.duckdb")) as workbench:
        spent.on("views", lambda: list(change_views(workbench, project_folder(), lake, after)))
        spent.on("models and tests", lambda: change_marts(workbench))
    return spent
