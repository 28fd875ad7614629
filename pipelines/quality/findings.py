"""What a check of quality found, and the table of the warehouse that keeps it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    import duckdb

Gravity: TypeAlias = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Finding:
    """The outcome of one check; an error that did not pass keeps a build from being published."""

    engine: str
    """`great_expectations` or `dbt`."""
    subject: str
    """What was checked: a feed, a model."""
    check: str
    """Its name, in words a person understands."""
    gravity: Gravity
    passed: bool
    checked: int | None = None
    """Rows looked at, where known."""

    @property
    def refuses(self) -> bool:
        """Return whether this keeps a build from being published."""
        return self.gravity == "error" and not self.passed


def keep_findings(connection: duckdb.DuckDBPyConnection, findings: Iterable[Finding]) -> None:
    """Write findings into the table `quality.checks` of a warehouse, replacing what was there."""
    connection.execute("CREATE SCHEMA IF NOT EXISTS quality")
    connection.execute(
        "CREATE OR REPLACE TABLE quality.checks (engine VARCHAR, subject VARCHAR, check_name VARCHAR,"
        " severity VARCHAR, is_passed BOOLEAN, rows_checked BIGINT)"
    )
    rows = [astuple(finding) for finding in findings]
    if rows:
        connection.executemany("INSERT INTO quality.checks VALUES (?, ?, ?, ?, ?, ?)", rows)
