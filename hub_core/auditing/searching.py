"""Searching the audit trail: events that fulfil all of several conditions, newest first, page after page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from psycopg.rows import class_row

from hub_core.auditing.questions import Seen

if TYPE_CHECKING:
    import psycopg

_COLUMNS: Final = (
    "SELECT a.event_id, a.recorded_at, a.principal_id, p.name AS principal, a.action, a.resource_type, a.resource_id,"
    " a.patient_id, a.outcome, a.purpose, a.location, a.detail"
)
_TABLES: Final = " FROM audit_event a LEFT JOIN principal p USING (principal_id)"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ends: its last event."""

    recorded_at: datetime
    event_id: UUID


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events; what is None is not asked for, and an empty list is fulfilled by none."""

    event_ids: Sequence[UUID] | None = None
    patient_ids: Sequence[UUID] | None = None
    principal_ids: Sequence[UUID] | None = None
    actions: Sequence[str] | None = None
    """Whole, as `chart.read`."""
    not_actions: Sequence[str] | None = None
    verbs: Sequence[str] | None = None
    """What follows the dot of an action."""
    not_verbs: Sequence[str] | None = None
    outcomes: Sequence[str] | None = None
    resources: Sequence[tuple[str | None, str]] | None = None
    """Types and ids of what was acted on, or whose patient it was; without a type, of any."""
    since: datetime | None = None
    until: datetime | None = None
    """Before this moment."""
    places: frozenset[str] | None = None
    """Keys of the locations whose events may be seen; None is all, and those of no location."""


def find(
    connection: psycopg.Connection[Any], wanted: Wanted, *, limit: int, after: Place | None = None
) -> Iterator[Seen]:
    """Yield up to `limit` events, those behind the place where the page before ended."""
    conditions, values = _conditions(wanted)
    if after is not None:
        conditions.append("(a.recorded_at, a.event_id) < (%(last_at)s, %(last_id)s)")
        values |= {"last_at": after.recorded_at, "last_id": after.event_id}
    query = (
        f"{_COLUMNS}{_TABLES} WHERE {' AND '.join(conditions)}"
        " ORDER BY a.recorded_at DESC, a.event_id DESC LIMIT %(limit)s"
    )
    with connection.cursor(row_factory=class_row(Seen)) as cursor:
        yield from cursor.execute(query, {**values, "limit": limit}).fetchall()


def count(connection: psycopg.Connection[Any], wanted: Wanted) -> int:
    """Return how many events fulfil the conditions."""
    conditions, values = _conditions(wanted)
    row = connection.execute(f"SELECT count(*) {_TABLES} WHERE {' AND '.join(conditions)}", values).fetchone()
    return 0 if row is None else int(row[0])


def _conditions(wanted: Wanted) -> tuple[list[str], dict[str, Any]]:
    """Return the conditions as SQL of this file's own words, and the values they bind."""
    asked: tuple[tuple[str, str, Any], ...] = (
        ("a.event_id = ANY(%(events)s)", "events", wanted.event_ids),
        ("a.patient_id = ANY(%(patients)s)", "patients", wanted.patient_ids),
        ("a.principal_id = ANY(%(principals)s)", "principals", wanted.principal_ids),
        ("a.action = ANY(%(actions)s)", "actions", wanted.actions),
        ("a.action <> ALL(%(other_actions)s)", "other_actions", wanted.not_actions),
        ("split_part(a.action, '.', 2) = ANY(%(verbs)s)", "verbs", wanted.verbs),
        ("split_part(a.action, '.', 2) <> ALL(%(others)s)", "others", wanted.not_verbs),
        ("a.outcome = ANY(%(outcomes)s)", "outcomes", wanted.outcomes),
        ("a.location = ANY(%(places)s)", "places", None if wanted.places is None else sorted(wanted.places)),
        ("a.recorded_at >= %(since)s", "since", wanted.since),
        ("a.recorded_at < %(until)s", "until", wanted.until),
    )
    told = [(text, name, value) for text, name, value in asked if value is not None]
    conditions = ["true", *(text for text, _, _ in told)]
    values = {name: list(value) if isinstance(value, Sequence) else value for _, name, value in told}
    if wanted.resources is not None:
        conditions.append(
            "EXISTS (SELECT FROM unnest(%(types)s::text[], %(ids)s::text[]) AS one (kind, id)"
            " WHERE (one.id = a.resource_id AND coalesce(one.kind = a.resource_type, true))"
            " OR (one.id = a.patient_id::text AND coalesce(one.kind = 'Patient', true)))"
        )
        values["types"] = [kind for kind, _ in wanted.resources]
        values["ids"] = [each for _, each in wanted.resources]
    return conditions, values
