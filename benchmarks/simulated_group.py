"""A simulated group through the whole house: what each stage takes, and its disk beside the raw resources.

WHOLECHART_BENCH_PEOPLE changes how many people the group has.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import duckdb

from benchmarks.measuring import Figure, rounded
from benchmarks.scratch import scratch_installation
from hub_core.settings import Settings
from pipelines.demo.footprint import Footprint
from pipelines.demo.run import run
from pipelines.demo.scenario import Scenario
from pipelines.demo.stages import Stages
from pipelines.installation import Installation

_PEOPLE = 20_000
_FEWEST = 200
_OURS, _RAW = "wholechart", "canonical JSON of the current versions"

_RESOURCES = """
SELECT count(*), sum(strlen(body))
FROM (
    SELECT arg_max(body, version) AS body, arg_max(deleted, version) AS deleted
    FROM read_parquet($files, union_by_name => true) GROUP BY resource_type, resource_id
)
WHERE NOT deleted
"""


def measure(scale: float) -> Figure:
    """Return bytes on disk per resource, beside the bytes of the resource itself; the stages are among the details."""
    people = max(_FEWEST, int(int(os.environ.get("WHOLECHART_BENCH_PEOPLE", _PEOPLE)) * scale))
    with scratch_installation() as installation, Footprint() as footprint:
        footprint.watch_database(installation.database)
        stages = Stages(footprint)
        made = run(installation, Scenario(people), lambda _, *, passing=False: None, stages)
        peak = round(footprint.megabytes)  # of the house, before the questions below are asked
        unequal = [outcome.name for outcome in made.comparison.outcomes if not outcome.equal]
        disk = dict(_disk(installation))
        resources, raw = _resources(installation.settings)
    kept = sum(size for part, size in disk.items() if part != "simulation")
    return Figure(
        benchmark="simulated_group",
        unit="bytes on disk per resource",
        results={_OURS: rounded(kept / resources), _RAW: rounded(raw / resources)},
        input=f"a simulated group of {people:,} people, seed 1: {made.messages:,} messages, {resources:,} resources",
        notes="Kept are the database (messages, every version, search index, change log, audit, write-ahead log), the"
        " lake and the published warehouse with its views and marts. Of the truth table, every check is equal"
        + (f" but these: {', '.join(unequal)}." if unequal else "."),
        details={
            "people": people,
            "encounters a person": rounded(made.marts["encounters"] / people),
            "peak MB, all processes": peak,
            **dict(_figures(stages)),
            **{f"MB on disk: {part}": rounded(size / 1e6) for part, size in disk.items()},
            **{f"bytes per resource: {part}": rounded(size / resources) for part, size in disk.items()},
        },
    )


def _figures(stages: Stages) -> Iterator[tuple[str, float]]:
    for name, cost in stages.costs.items():
        yield f"{name}, wall s", cost.seconds
        yield f"{name}, CPU s", cost.cpu_seconds
        yield f"{name}, peak MB", cost.peak_mb


def _disk(installation: Installation) -> Iterator[tuple[str, int]]:
    """Yield what each part of an installation takes on disk."""
    settings = installation.settings
    with installation.database.connect(autocommit=True) as connection:
        connection.execute("CHECKPOINT")
        row = connection.execute(
            "SELECT (SELECT sum(pg_database_size(datname)) FROM pg_database), (SELECT sum(size) FROM pg_ls_waldir())"
        ).fetchall()[0]
    yield "database", int(row[0])
    yield "write-ahead log", int(row[1])
    yield "lake", _size(settings.lake_dir)
    yield "warehouse", _size(settings.warehouse_dir)
    yield "blobs", _size(settings.blob_dir)
    yield "simulation", _size(settings.data_dir / "simulation")


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _resources(settings: Settings) -> tuple[int, int]:
    """Return how many resources there are, and the bytes of their canonical JSON."""
    files = [str(path) for path in settings.lake_dir.glob("[A-Z]*/*.parquet")]
    with duckdb.connect(":memory:") as connection:
        count, size = connection.execute(_RESOURCES, {"files": files}).fetchall()[0]
    return int(count), int(size)
