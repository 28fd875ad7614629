"""Lake to views to marts; the views of patients and observations beside SQL written by hand for the same columns."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import duckdb
import pyarrow as pa

from benchmarks.inputs import lines_of, ndjson_lines
from benchmarks.measuring import Contender, Figure, Work, prefixed, rounded, take_turns
from benchmarks.scratch import ingest, new_feed, scratch_installation
from connectors import registry
from connectors.connector import Origin
from ehr_pm.record import changes
from ehr_pm.record.changes import Change
from ehr_pm.record.writing import stamped
from hub_core.clock import now
from hub_core.fhir.canonical import dumps
from hub_core.fhir.ids import new_id
from hub_core.fhir.registry import patient_id
from pipelines.dbt_models import project_folder, run_dbt
from pipelines.lake.change_log import CHANGE
from pipelines.lake.envelopes import replace_envelopes
from pipelines.lake.manifest import Manifest
from pipelines.lake.writer import append, append_changes
from pipelines.views.tables import create_views, load_views

_MARTS_LINES = 4000
_PATIENTS, _OBSERVATIONS = 306, 12_000
_VIEWS = ("observation", "patient")
_HANDWRITTEN = Path(__file__).parent / "handwritten"
_OURS, _BY_HAND = "wholechart", "SQL by hand"


@dataclass(frozen=True, slots=True)
class _Lake:
    """A lake and what it consists of."""

    folder: Path
    manifest: Manifest


def measure(scale: float) -> Figure:
    """Return resources per CPU second of the views; the way to the marts is among the details."""
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        patients = lines_of("Patient", max(50, int(_PATIENTS * scale)))
        observations = lines_of("Observation", max(200, int(_OBSERVATIONS * scale)))
        clinical = _write_lake(folder / "lake", [*patients.items, *observations.items])
        contenders = {_OURS: _by_definition(clinical), _BY_HAND: _by_hand(clinical)}
        rates = take_turns(contenders, rounds=5)
        _prove_equal(clinical)
        marts = _lake_to_marts(folder, scale)
    return Figure(
        benchmark="lake_to_marts",
        unit="resources per CPU second, Patient and Observation to their views",
        results=rates.cpu,
        input=f"{observations.name}: {len(patients.items)} patients, {len(observations.items)} observations",
        notes="Both sides read the same Parquet, keep the current version of each resource and make the same tables;"
        " the run compares them row by row. The way to the marts is every view, every model and every dbt test over a"
        " record of all types, the second build of a process: dbt imported, its project parsed.",
        details={**prefixed("wall, resources/s:", rates.wall), **marts},
    )


def _write_lake(folder: Path, lines: Iterable[bytes]) -> _Lake:
    """Write lines to a lake as they would come there from the record."""
    log = pa.Table.from_pylist([change._asdict() for change in changes_of(lines)], schema=CHANGE)
    return _Lake(folder, append(lambda *_: iter([log]), log.num_rows, folder))


def changes_of(lines: Iterable[bytes]) -> Iterator[Change]:
    """Yield what lines would be in the record: the first version of each resource."""
    connector, origin, moment = registry.connector("fhir"), Origin("bench"), now()
    seq = 0
    for line in lines:
        for outcome in connector.convert(line, origin):
            for fact in outcome.facts:
                seq += 1
                yield Change(
                    seq=seq,
                    resource_type=fact.resource["resourceType"],
                    resource_id=fact.resource["id"],
                    version=1,
                    source=origin.source,
                    source_id=fact.source_id,
                    location=None,
                    patient_id=patient_id(fact.resource),
                    sensitivity=None,
                    event_at=fact.event_at,
                    first_event_at=fact.event_at,
                    authority=fact.authority,
                    recorded_at=moment,
                    message_id=str(new_id()),
                    position=1,
                    mapping_version=connector.mapping_version,
                    deleted=False,
                    body=dumps(stamped(fact.resource, 1, moment)).decode(),
                )


def _by_definition(lake: _Lake) -> Contender:
    def make_ready() -> Work:
        connection = _connect()
        return lambda: _make_views(connection, lake)

    return make_ready


def _by_hand(lake: _Lake) -> Contender:
    def make_ready() -> Work:
        connection = _connect()
        return lambda: _make_tables(connection, lake)

    return make_ready


def _make_views(connection: duckdb.DuckDBPyConnection, lake: _Lake) -> int:
    views = [view for view in load_views(project_folder() / "views") if view.name in _VIEWS]
    # the tables of envelopes come after the views, and are not asked for
    return sum(table.rows for table in islice(create_views(connection, views, lake.folder, lake.manifest), len(views)))


def _make_tables(connection: duckdb.DuckDBPyConnection, lake: _Lake) -> int:
    connection.execute("CREATE SCHEMA handwritten")
    rows = 0
    for name in _VIEWS:
        files = [str(lake.folder / file.path) for file in lake.manifest.of(name.capitalize())]
        connection.execute("SET VARIABLE files = ?", [files])
        made = connection.execute((_HANDWRITTEN / f"{name}.sql").read_text(encoding="utf-8")).fetchall()
        rows += int(made[0][0])
    return rows


def _prove_equal(lake: _Lake) -> None:
    """Make sure that what was raced makes the same rows."""
    connection = _connect()
    _make_views(connection, lake)
    _make_tables(connection, lake)
    for name in _VIEWS:
        for one, other in (("views", "handwritten"), ("handwritten", "views")):
            query = f"SELECT count(*) FROM (FROM {one}.{name} EXCEPT ALL FROM {other}.{name})"  # noqa: S608 - ours
            odd = connection.execute(query).fetchall()[0][0]
            assert odd == 0, f"{odd} rows of {name} differ"


def _lake_to_marts(folder: Path, scale: float) -> dict[str, float]:
    """Return the seconds of views and dbt over a record of every type, and its resources per second."""
    lines = ndjson_lines(max(200, int(_MARTS_LINES * scale)))
    path = folder / "lines.ndjson"
    path.write_bytes(b"".join(lines.items))
    with scratch_installation() as installation:
        lake = installation.settings.lake_dir
        ingest(installation, new_feed("fhir"), path)
        with installation.database.begin() as unit:
            changes.seal(unit.driver)
        append_changes(installation.database, lake)
        with installation.database.begin() as unit:
            full = _Lake(lake, replace_envelopes(unit.driver, lake))
        _, first_dbt = _build(full, folder)
        views, dbt = _build(full, folder)
    return {
        "marts: resources": full.manifest.last_seq,
        "marts: seconds of all views": rounded(views),
        "marts: seconds of dbt, models and tests": rounded(dbt),
        "marts: seconds of dbt, the first time": rounded(first_dbt),
        "marts: resources/s, views and dbt": rounded(full.manifest.last_seq / (views + dbt)),
    }


def _build(lake: _Lake, folder: Path) -> tuple[float, float]:
    """Return the seconds that all views, and all models and tests of dbt, took in a new file of the same name."""
    built = folder / "warehouse.duckdb"
    built.unlink(missing_ok=True)
    started = time.perf_counter()
    with duckdb.connect(str(built)) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for _ in create_views(connection, load_views(project_folder() / "views"), lake.folder, lake.manifest):
            pass
    views = time.perf_counter() - started
    outcome = run_dbt(project_folder(), built, folder / "dbt")
    assert not outcome.failures, outcome.failures
    return views, time.perf_counter() - started - views


def _connect() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    return connection
