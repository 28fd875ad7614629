"""Asking the audit trail: who has seen a patient, and what somebody has done."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from psycopg.rows import class_row

if TYPE_CHECKING:
    import psycopg

_COLUMNS = (
    "SELECT a.event_id, a.recorded_at, a.principal_id, p.name AS principal, a.action, a.resource_type, a.resource_id,"
    " a.patient_id, a.outcome, a.purpose, a.location, a.detail"
    " FROM audit_event a LEFT JOIN principal p USING (principal_id)"
)


@dataclass(frozen=True, slots=True)
class Seen:
    """An event as people read it."""

    event_id: UUID
    recorded_at: datetime
    principal_id: UUID | None
    principal: str | None
    action: str
    resource_type: str | None
    resource_id: str | None
    patient_id: UUID | None
    outcome: str
    purpose: str | None
    location: str | None
    detail: dict[str, Any]


def about_patients(
    connection: psycopg.Connection[Any], patient_ids: list[UUID], *, before: datetime, limit: int = 100
) -> Iterator[Seen]:
    """Yield what was done with the records of a person, newest first."""
    query = f"{_COLUMNS} WHERE a.patient_id = ANY(%s) AND a.recorded_at < %s ORDER BY a.recorded_at DESC LIMIT %s"
    with connection.cursor(row_factory=class_row(Seen)) as cursor:
        yield from cursor.execute(query, (patient_ids, before, limit)).fetchall()


def by_principal(
    connection: psycopg.Connection[Any], principal_id: UUID, *, before: datetime, limit: int = 100
) -> Iterator[Seen]:
    """Yield what somebody has done, newest first."""
    query = f"{_COLUMNS} WHERE a.principal_id = %s AND a.recorded_at < %s ORDER BY a.recorded_at DESC LIMIT %s"
    with connection.cursor(row_factory=class_row(Seen)) as cursor:
        yield from cursor.execute(query, (principal_id, before, limit)).fetchall()
