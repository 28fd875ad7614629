"""What dbt compiled, kept in the warehouse it made, so that it can be run over a part of the data without dbt."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from pipelines.quality.findings import Finding, Gravity

if TYPE_CHECKING:
    import duckdb

Kind: TypeAlias = Literal["view", "table", "test"]


@dataclass(frozen=True, slots=True)
class Statement:
    """One model or one test of the dbt project, in SQL."""

    kind: Kind
    place: str
    """The schema of a model; the model a test is of."""
    name: str
    gravity: Gravity
    """What a test that fails means."""
    sql: str

    @property
    def relation(self) -> str:
        """Return the name of the model in SQL."""
        return f'{self.place}."{self.name}"'

    @property
    def query(self) -> str:
        """Return what is asked: the rows of a model, or how many rows fail a test."""
        return f"SELECT count(*) FROM ({self.sql})" if self.kind == "test" else self.sql  # noqa: S608 - our project's


def keep_statements(connection: duckdb.DuckDBPyConnection, statements: Sequence[Statement]) -> None:
    """Write statements into the table `quality.statements` of a warehouse, replacing what was there."""
    connection.execute("CREATE SCHEMA IF NOT EXISTS quality")
    connection.execute(
        "CREATE OR REPLACE TABLE quality.statements"
        " (position INTEGER, kind VARCHAR, place VARCHAR, name VARCHAR, gravity VARCHAR, sql VARCHAR)"
    )
    rows = [(position, *astuple(each)) for position, each in enumerate(statements)]
    connection.executemany("INSERT INTO quality.statements VALUES (?, ?, ?, ?, ?, ?)", rows)


def kept_statements(connection: duckdb.DuckDBPyConnection, warehouse: str) -> list[Statement]:
    """Return the statements of an attached warehouse, each after those it needs."""
    query = f"SELECT kind, place, name, gravity, sql FROM {warehouse}.quality.statements ORDER BY position"  # noqa: S608
    return [Statement(*row) for row in connection.execute(query).fetchall()]


def make_models(connection: duckdb.DuckDBPyConnection, statements: Iterable[Statement]) -> None:
    """Make every model in the database of the connection, from its schema `views`."""
    for each in statements:
        if each.kind != "test":
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {each.place}")
            connection.execute(f"CREATE {each.kind.upper()} {each.relation} AS {each.query}")


def run_tests(connection: duckdb.DuckDBPyConnection, statements: Iterable[Statement]) -> Iterator[Finding]:
    """Run every test and yield what it found."""
    for each in statements:
        if each.kind == "test":
            odd = connection.execute(each.query).fetchall()[0][0]
            yield Finding("dbt", each.place, each.name, each.gravity, odd == 0)
