"""The audit trail: who did what to whose data, why, from where, and whether they were let.

An event is durable before the answer it speaks of leaves (45 CFR 164.312(b)). Writing one costs a disk flush, so the
events of requests that run at the same time share one (`AuditLog`). An event names things by id; it never holds what
the data said.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, LiteralString, TypeAlias
from uuid import UUID

from hub_core.fhir.canonical import Json, dumps
from hub_core.fhir.ids import new_id
from hub_core.group_commit import GroupCommit

if TYPE_CHECKING:
    import psycopg

    from hub_core.database import Database

Outcome: TypeAlias = Literal["success", "refused", "failed"]


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One act on one patient's data, or on none."""

    principal_id: UUID | None
    """None when nobody had proved who they are."""
    action: str
    """What was asked for, as `<noun>.<verb>`: `resource.read`, `chart.read`, `session.open`."""
    resource_type: str | None = None
    resource_id: str | None = None
    patient_id: UUID | str | None = None
    outcome: Outcome = "success"
    purpose: str | None = None
    """Why, as a code of HL7's PurposeOfUse (TREAT, HPAYMT, HOPERAT, ...), when the asker said."""
    location: str | None = None
    """The location that owns the data."""
    detail: Json = field(default_factory=dict)
    """What else helps to understand the event later; never patients' data."""


def record(connection: psycopg.Connection[Any], *events: AuditEvent) -> None:
    """Write events in the caller's transaction: the act and its audit commit together."""
    if events:
        connection.execute(*statement(*events))


def statement(*events: AuditEvent) -> tuple[LiteralString, Sequence[Any]]:
    """Return the statement that writes events, one at least, and its values."""
    said = {_said(event) for event in events}
    if len(said) == 1:
        return _alike(said.pop(), [event.patient_id for event in events])
    return _each(events)


def _said(event: AuditEvent) -> tuple[Any, ...]:
    """Return what an event says but for the patient, in the order of the columns."""
    detail = dumps(event.detail).decode() if event.detail else "{}"
    asked = event.action, event.resource_type, event.resource_id, event.outcome
    return event.principal_id, *asked, event.purpose, event.location, detail


def _alike(said: tuple[Any, ...], patients: list[UUID | str | None]) -> tuple[LiteralString, Sequence[Any]]:
    """Write what was done once, as most acts do, or with many patients alike, as who looks at a list does."""
    return (
        "INSERT INTO audit_event (event_id, patient_id, principal_id, action, resource_type, resource_id, outcome,"
        " purpose, location, detail) SELECT one.event_id, one.patient_id, %s::uuid, %s, %s, %s, %s, %s, %s, %s::jsonb"
        " FROM unnest(string_to_array(%s, ' ')::uuid[], string_to_array(%s, ' ', '-')::uuid[])"
        " AS one (event_id, patient_id)",
        (*said, " ".join(str(new_id()) for _ in patients), " ".join(str(each or "-") for each in patients)),
    )


def _each(events: Sequence[AuditEvent]) -> tuple[LiteralString, Sequence[Any]]:
    """Write events that say different things, as of requests that ran at the same time."""
    columns = zip(*map(_said, events), strict=True)
    return (
        "INSERT INTO audit_event (event_id, patient_id, principal_id, action, resource_type, resource_id, outcome,"
        " purpose, location, detail) SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::uuid[], %s::text[], %s::text[],"
        " %s::text[], %s::text[], %s::text[], %s::text[], %s::jsonb[])",
        (
            [new_id() for _ in events],
            [None if event.patient_id is None else str(event.patient_id) for event in events],
            *map(list, columns),
        ),
    )


class AuditLog:
    """Audit events of acts that write nothing else, made durable together."""

    def __init__(self, database: Database) -> None:
        """Open the log; `close` it before the database."""
        self._database = database
        self._commits: GroupCommit[tuple[AuditEvent, ...], None] = GroupCommit(self._write, name="audit events")

    def write(self, *events: AuditEvent) -> Future[None]:
        """Return a future that resolves when the events of one act are durable, all of them or none."""
        return self._commits.submit(events)

    def close(self) -> None:
        """Write what is waiting, and stop."""
        self._commits.close()

    def _write(self, acts: list[tuple[AuditEvent, ...]]) -> list[None]:
        with self._database.autocommit() as connection:
            record(connection, *(event for act in acts for event in act))
        return [None] * len(acts)
