"""The published warehouse as the pages read it: read-only, the newest snapshot, aggregates asked with parameters."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, TypeAlias

import duckdb
import pandas as pd
import streamlit as st

from hub_core.errors import NotFoundError
from hub_core.limited_snapshot import open_limited
from hub_core.snapshot import Snapshot, open_snapshot

if TYPE_CHECKING:
    from collections.abc import Mapping

Parameter: TypeAlias = str | int | date | None

_SNAPSHOTS_OPEN = 24
"""The three that are kept, and the one before them for pages that are still being drawn; for each reach of roles."""
_ANSWERS_KEPT = 1000


@dataclass(frozen=True)
class Warehouse:
    """One published snapshot, opened."""

    name: str
    built_at: datetime
    connection: duckdb.DuckDBPyConnection
    places: tuple[str, ...] | None = None
    """The locations whose rows are in it; None is all."""

    def ask(self, question: str, parameters: Mapping[str, Parameter] | None = None) -> pd.DataFrame:
        """Return the whole answer to a question; amounts of money stay Decimal.

        Args:
            question: SQL of ours that aggregates; whatever was chosen on a page comes in as `$name`.
            parameters: may hold more than the question uses, so that pages can pass all their filters.
        """
        used = {name: value for name, value in (parameters or {}).items() if f"${name}" in question}
        return _answer(self.name, self.places, question, tuple(sorted(used.items())), self.connection)

    def has(self, schema: str, relation: str) -> bool:
        """Return whether the snapshot holds a relation."""
        found = self.ask(
            "SELECT count(*) AS found FROM information_schema.tables"
            " WHERE table_catalog = current_database() AND table_schema = $schema AND table_name = $relation",
            {"schema": schema, "relation": relation},
        )
        return bool(found["found"].item())


@st.cache_resource(max_entries=_SNAPSHOTS_OPEN, show_spinner=False, hash_funcs={Snapshot: lambda it: str(it.path)})
def open_warehouse(snapshot: Snapshot, places: tuple[str, ...] | None) -> Warehouse:
    """Open a snapshot once for all visitors who see the same locations of it; None is all.

    A new one has a new name, so it is never mistaken for an old one.
    """
    opened = open_snapshot(snapshot) if places is None else open_limited(snapshot, places)
    return Warehouse(snapshot.build_id, snapshot.built_at, opened, places)


@st.cache_data(max_entries=_ANSWERS_KEPT, show_spinner=False)
def _answer(
    snapshot: str,
    places: tuple[str, ...] | None,
    question: str,
    parameters: tuple[tuple[str, Parameter], ...],
    _connection: duckdb.DuckDBPyConnection,
) -> pd.DataFrame:
    """Answer once per snapshot and locations: it never changes, and holds for all who see them as it names nobody."""
    with _connection.cursor() as cursor:
        try:
            cursor.execute(question, dict(parameters))
        except duckdb.CatalogException:
            raise NotFoundError(
                "these numbers were built by an earlier version; `wholechart build` makes new"
            ) from None
        columns = [column[0] for column in cursor.description or ()]
        # Not `df()`, which turns DECIMAL into floats; and to the end, or the next question of this cursor breaks.
        return pd.DataFrame(cursor.fetchall(), columns=columns)
