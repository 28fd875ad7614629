"""For a change just those columns are laid out that marts and tests read; the others can be named, but not read."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from pipelines.increment.columns import Column, keep_columns, kept_columns
from pipelines.increment.slices import _cut
from pipelines.increment.statements import Statement, make_models

VISITS = "SELECT visit_id, reason, place, upper(name) AS name FROM views.visit"
MART = "WITH said AS (SELECT * FROM staging.stg_visits) SELECT visit_id, name FROM said"
STATEMENTS = [
    Statement("view", "staging", "stg_visits", "error", VISITS),
    Statement("table", "marts", "visits", "error", MART),
    Statement("test", "stg_visits", "has_place", "error", "SELECT place FROM staging.stg_visits WHERE place IS NULL"),
]
"""A mart that reads two columns, and a test that reads one more."""


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("ATTACH ':memory:' AS whole; USE whole; CREATE SCHEMA views; CREATE SCHEMA quality")
        connection.execute(
            "CREATE TABLE views.visit AS SELECT 'v' || n AS visit_id, 'because' AS reason, 'here' AS place,"
            " 'Ann' AS name, n AS number FROM range(3) AS numbers(n)"
        )
        make_models(connection, STATEMENTS)
        keep_columns(connection, STATEMENTS)
        yield connection


def read(connection: duckdb.DuckDBPyConnection) -> set[str]:
    """Return what is read of the view."""
    return {column.name for column in kept_columns(connection, "whole")["visit"] if column.is_read}


def test_what_marts_and_tests_read_is_known(connection: duckdb.DuckDBPyConnection) -> None:
    assert kept_columns(connection, "whole") == {
        "visit": [
            Column("visit_id", "VARCHAR", is_read=True),
            Column("reason", "VARCHAR", is_read=False),
            Column("place", "VARCHAR", is_read=True),
            Column("name", "VARCHAR", is_read=True),
            Column("number", "BIGINT", is_read=False),
        ]
    }


def test_what_the_rows_of_today_make_needless_is_read_tomorrow(connection: duckdb.DuckDBPyConnection) -> None:
    first = "SELECT visit_id FROM staging.stg_visits WHERE coalesce(name, reason) IS NOT NULL AND 'here' = place"
    keep_columns(connection, [Statement("table", "marts", "visits", "error", first)])
    assert read(connection) == {"visit_id", "name", "reason", "place"}


def test_planning_is_as_before_afterwards(connection: duckdb.DuckDBPyConnection) -> None:
    assert connection.execute("SELECT current_setting('disabled_optimizers')").fetchall() == [("",)]


def test_what_is_not_laid_out_can_be_named_but_not_read(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("USE memory; CREATE SCHEMA views; CREATE SCHEMA slices")
    _cut(connection, "visit", kept_columns(connection, "whole")["visit"], "visit_id <> 'v1'")
    make_models(connection, STATEMENTS)
    assert connection.execute("SELECT visit_id, name FROM marts.visits ORDER BY visit_id").fetchall() == [
        ("v0", "ANN"),
        ("v2", "ANN"),
    ]
    with pytest.raises(duckdb.InvalidInputException, match=r"visit\.reason is not laid out"):
        connection.execute("SELECT reason FROM staging.stg_visits")
