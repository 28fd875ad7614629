"""Lays out the schema `views` with just what the rows in scope are made of, for the models to run over."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
_REPORTS = """
CREATE TABLE views.diagnostic_report AS FROM whole.views.diagnostic_report
WHERE diagnostic_report_id IN (
    SELECT diagnostic_report_id
    FROM (SELECT diagnostic_report_id, unnest(observation_ids) AS observation_id FROM whole.views.diagnostic_report)
    WHERE observation_id IN (SELECT id FROM scope.observation)
)
"""


def cut_slices(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the schema `views`; of a view that no mart reads it has the new rows."""
    connection.execute("CREATE SCHEMA views")
    for view in _WHOLE:
        connection.execute(f"CREATE VIEW views.{view} AS FROM whole.views.{view}")
    for subject in SUBJECTS:
        connection.execute(_ids(subject.view, subject.key))
        for view in (subject.view, *subject.others):
            connection.execute(
                f"CREATE TABLE views.{view} AS FROM whole.views.{view} WHERE {subject.key} IN (FROM wanted)"
            )
    connection.execute(_REPORTS)
    _cut_patients(connection)
    made = {name for (name,) in connection.execute(_NAMES, ["views"]).fetchall()}
    for (view,) in connection.execute(_NAMES, ["after"]).fetchall():
        if view not in made:
            connection.execute(f"CREATE VIEW views.{view} AS FROM after.{view}")


def _ids(view: str, key: str) -> str:
    beside = f" UNION SELECT {key} FROM whole.views.{view} WHERE {_BESIDE[view]}" if view in _BESIDE else ""  # noqa: S608
    return f"CREATE OR REPLACE TEMP TABLE wanted AS SELECT DISTINCT id FROM scope.{view}{beside}"  # noqa: S608


def _cut_patients(connection: duckdb.DuckDBPyConnection) -> None:
    """Take the patients in scope, and those that the rest of the slices speak of."""
    columns = connection.execute(
        "SELECT table_name, column_name FROM duckdb_columns() WHERE database_name = current_database()"
        " AND schema_name = 'views' AND column_name LIKE '%patient\\_id' ESCAPE '\\'"
        " AND table_name NOT IN (SELECT view_name FROM duckdb_views() WHERE schema_name = 'views')"
    ).fetchall()
    spoken = "".join(f" UNION SELECT {column} FROM views.{table}" for table, column in columns)  # noqa: S608
    connection.execute(f"CREATE OR REPLACE TEMP TABLE wanted AS SELECT patient_id AS id FROM scope.patient{spoken}")  # noqa: S608
    for view in ("patient", "crosswalk"):
        connection.execute(f"CREATE TABLE views.{view} AS FROM whole.views.{view} WHERE patient_id IN (FROM wanted)")


_NAMES = (
    "SELECT table_name FROM information_schema.tables WHERE table_catalog = current_database() AND table_schema = ?"
)
