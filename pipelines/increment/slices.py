"""Lays out the schema `views` with just what the rows in scope are made of, for the models to run over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.increment.columns import Column, kept_columns
from pipelines.increment.scope import CHARGE_ACCOUNT, LOOKUPS, PAYMENT_ACCOUNT, SUBJECTS

if TYPE_CHECKING:
    import duckdb

_WHOLE = (*LOOKUPS, "linkage", "messages", "rejects")
"""Views that are looked at whole: they are small, or every row of theirs counts."""

# Of accounts and remittances more is needed than what is in scope itself.
_BESIDE = {
    "charge_item": f"{CHARGE_ACCOUNT} IN (SELECT id FROM scope.account)",  # noqa: S608 - names of ours
    "payment_reconciliation_detail": f"{PAYMENT_ACCOUNT} IN (SELECT id FROM scope.account)"  # noqa: S608
    " OR explanation_of_benefit_id IN (SELECT id FROM scope.explanation_of_benefit)",
}
_OF_RESULTS = """rowid IN (
    SELECT place
    FROM (SELECT rowid AS place, unnest(observation_ids) AS observation_id FROM whole.views.diagnostic_report)
    WHERE observation_id IN (SELECT id FROM scope.observation)
)"""
_PATIENTS = ("patient", "crosswalk")

_NAMES = (
    "SELECT table_name FROM information_schema.tables WHERE table_catalog = current_database() AND table_schema = ?"
)


def cut_slices(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the schema `views`; of a view that no mart reads it has the new rows."""
    connection.execute("CREATE SCHEMA views; CREATE SCHEMA slices")
    columns = kept_columns(connection, "whole")
    for view in _WHOLE:
        connection.execute(f"CREATE VIEW views.{view} AS FROM whole.views.{view}")
    for subject in SUBJECTS:
        connection.execute(_ids(subject.view, subject.key))
        for view in (subject.view, *subject.others):
            _cut(connection, view, columns[view], f"{subject.key} IN (FROM wanted)")
    _cut(connection, "diagnostic_report", columns["diagnostic_report"], _OF_RESULTS)
    connection.execute(_spoken(connection))
    for view in _PATIENTS:
        _cut(connection, view, columns[view], "patient_id IN (FROM wanted)")
    made = {name for (name,) in connection.execute(_NAMES, ["views"]).fetchall()}
    for (view,) in connection.execute(_NAMES, ["after"]).fetchall():
        if view not in made:
            connection.execute(f"CREATE VIEW views.{view} AS FROM after.{view}")


def _cut(connection: duckdb.DuckDBPyConnection, view: str, columns: list[Column], condition: str) -> None:
    """Lay out the rows of a view that meet a condition; a column that is not laid out can be named, but not read."""
    kept = ", ".join(column.name for column in columns if column.is_read) or "NULL"
    shown = ", ".join(_shown(view, column) for column in columns)
    connection.execute(f"CREATE TABLE slices.{view} AS SELECT {kept} FROM whole.views.{view} WHERE {condition}")  # noqa: S608
    connection.execute(f"CREATE VIEW views.{view} AS SELECT {shown} FROM slices.{view}")  # noqa: S608


def _shown(view: str, column: Column) -> str:
    if column.is_read:
        return column.name
    return f"CAST(error('{view}.{column.name} is not laid out') AS {column.data_type}) AS {column.name}"


def _ids(view: str, key: str) -> str:
    beside = f" UNION SELECT {key} FROM whole.views.{view} WHERE {_BESIDE[view]}" if view in _BESIDE else ""  # noqa: S608
    return f"CREATE OR REPLACE TEMP TABLE wanted AS SELECT DISTINCT id FROM scope.{view}{beside}"  # noqa: S608


def _spoken(connection: duckdb.DuckDBPyConnection) -> str:
    """Return the statement that finds the patients in scope, and those that the rest of the slices speak of."""
    columns = connection.execute(
        "SELECT table_name, column_name FROM duckdb_columns() WHERE database_name = current_database()"
        " AND schema_name = 'slices' AND column_name LIKE '%patient\\_id' ESCAPE '\\'"
    ).fetchall()
    spoken = "".join(f" UNION SELECT {column} FROM slices.{table}" for table, column in columns)  # noqa: S608
    return f"CREATE OR REPLACE TEMP TABLE wanted AS SELECT patient_id AS id FROM scope.patient{spoken}"  # noqa: S608
