"""Seven views of some ten columns over the bodies of the lake, beside SQL by hand that is told the schema."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa
from pyarrow import parquet

from benchmarks.inputs import lines_of
from benchmarks.lake_to_marts import changes_of
from benchmarks.measuring import Contender, Figure, Work, prefixed, take_turns
from hub_core.quoting import literal
from pipelines.views.compiler import compile_view
from pipelines.views.definition import ViewDefinition
from pipelines.views.tables import load_views

_NARROW: Final = Path(__file__).parent / "handwritten" / "narrow"
_MOST: Final = 100_000
"""Resources of one type."""
_OURS, _BY_HAND = "wholechart", "SQL by hand, schema told"


@dataclass(frozen=True, slots=True)
class _Input:
    """The resources of one view, as the lake keeps their bodies and as NDJSON."""

    view: ViewDefinition
    resources: int
    bodies: Path
    lines: Path

    @property
    def by_definition(self) -> str:
        """Return the query that our compiler makes."""
        return compile_view(self.view).over(f"(SELECT body FROM read_parquet({literal(str(self.bodies))}))")  # noqa: S608

    @property
    def by_hand(self) -> str:
        """Return the query that a person wrote."""
        return (_NARROW / f"{self.view.name}.sql").read_text(encoding="utf-8")


def measure(scale: float) -> Figure:
    """Return resources per CPU second, on one thread."""
    with tempfile.TemporaryDirectory() as text:
        inputs = list(_inputs(Path(text), scale))
        _prove_equal(inputs)
        contenders = {
            _OURS: _contender(inputs, [each.by_definition for each in inputs]),
            _BY_HAND: _contender(inputs, [each.by_hand for each in inputs]),
        }
        rates = take_turns(contenders, rounds=7)
    return Figure(
        benchmark="views",
        unit="resources per CPU second, seven views, one thread",
        results=rates.cpu,
        input=f"{lines_of('Patient', 1).name}: "
        + ", ".join(f"{each.resources:,} {each.view.resource}" for each in inputs),
        notes="Ours reads bodies from Parquet, as they lie in the lake; by hand the same resources are read from"
        " NDJSON, of which DuckDB is told the schema. The run compares the rows. Shipped views have three to five times"
        " as many columns: lake_to_marts.",
        details=prefixed("wall, resources/s:", rates.wall),
    )


def _inputs(folder: Path, scale: float) -> Iterator[_Input]:
    for view in load_views(_NARROW):
        lines = lines_of(view.resource, max(50, int(_MOST * scale))).items
        told = pa.array([change.body for change in changes_of(lines)], pa.string())
        bodies, file = folder / f"{view.name}.parquet", folder / f"{view.name}.ndjson"
        parquet.write_table(pa.table({"body": told}), bodies, compression="zstd")
        file.write_text("".join(f"{body}\n" for body in told), encoding="utf-8")
        yield _Input(view, len(told), bodies, file)


def _contender(inputs: list[_Input], queries: list[str]) -> Contender:
    def make_ready() -> Work:
        connection = _connect()
        return lambda: _make(connection, inputs, queries)

    return make_ready


def _connect() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("SET threads = 1; SET TimeZone = 'UTC'")
    return connection


def _make(connection: duckdb.DuckDBPyConnection, inputs: list[_Input], queries: list[str]) -> int:
    """Make the tables of the views and return how many resources they are of."""
    for each, query in zip(inputs, queries, strict=True):
        connection.execute("SET VARIABLE file = ?", [str(each.lines)])
        connection.execute(f'CREATE TABLE "{each.view.name}" AS {query}')
    return sum(each.resources for each in inputs)


def _prove_equal(inputs: list[_Input]) -> None:
    """Make sure that what is raced makes the same rows."""
    connection = _connect()
    for each in inputs:
        connection.execute("SET VARIABLE file = ?", [str(each.lines)])
        for one, other in ((each.by_definition, each.by_hand), (each.by_hand, each.by_definition)):
            query = f"SELECT count(*) FROM (({one}) EXCEPT ALL ({other}))"  # noqa: S608 - ours
            odd = connection.execute(query).fetchall()[0][0]
            assert odd == 0, f"{odd} rows of {each.view.name} differ"
