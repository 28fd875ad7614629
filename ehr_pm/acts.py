"""One act: somebody does something to the practice's records, and rows, FHIR, audit and announcement commit together.

    with act(database, actor) as doing:
        location = organisation.service.add_location(doing, ...)

A service changes rows and calls `done` for each change; nothing can be written without saying what it was.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, LiteralString
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm.exc import StaleDataError

from ehr_pm.identity import crosswalk
from ehr_pm.record.apply import apply
from ehr_pm.record.entry import Entry
from ehr_pm.rows import Kept, Row
from hub_core import audit
from hub_core.audit import AuditEvent
from hub_core.clock import now
from hub_core.errors import ConflictError
from hub_core.feeds import OWN_SOURCE
from hub_core.fhir.canonical import Json
from hub_core.fhir.ids import new_id

if TYPE_CHECKING:
    import psycopg
    from sqlalchemy.orm import Session

    from hub_core.database import Database, UnitOfWork

_ANNOUNCE: Final = (
    "INSERT INTO outbox_event (event_id, kind, subject_type, subject_id, patient_id, location, principal_id) VALUES "
)
_ANNOUNCEMENT: Final = "(%s, %s, %s, %s, %s, %s, %s)"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, where they are working and why; no principal is the house itself, at work on a schedule."""

    principal_id: UUID | None
    location: str | None = None
    purpose: str | None = None


class Act:
    """What is being done, until it commits."""

    def __init__(self, unit: UnitOfWork, actor: Actor, moment: datetime) -> None:
        self.actor = actor
        self.moment = moment
        self._unit = unit
        self._entries: list[Entry] = []
        self._events: list[AuditEvent] = []
        self._announced: list[tuple[Any, ...]] = []

    @property
    def session(self) -> Session:
        """Return the session in which the rows change."""
        return self._unit.session

    @property
    def driver(self) -> psycopg.Connection[Any]:
        """Return the psycopg connection below the session, what was changed in it sent."""
        self.flush()
        return self._unit.driver

    def add(self, row: Row, *, conflict: str | None = None) -> None:
        """Add a row, signed and dated; the database's constraints speak now, not at the end.

        Args:
            row: the row.
            conflict: what to say when the database holds something that excludes it.

        Raises:
            ConflictError: if it does, and that is known to be possible.
        """
        if isinstance(row, Kept):
            row.created_at = row.changed_at = self.moment
            row.created_by = row.changed_by = self.actor.principal_id
        self.session.add(row)
        try:
            self.flush()
        except IntegrityError as error:
            if conflict is None:
                raise
            raise ConflictError(conflict) from error

    def change(self, row: Row, **values: object) -> None:
        """Change a row, signed and dated.

        Raises:
            ConflictError: if somebody else changed it since it was read.
        """
        for name, value in values.items():
            setattr(row, name, value)
        if isinstance(row, Kept):
            row.changed_at, row.changed_by = self.moment, self.actor.principal_id
        self.flush()

    def flush(self) -> None:
        """Send what was changed to the database.

        Raises:
            ConflictError: if somebody else changed one of the rows since it was read.
        """
        try:
            self._unit.flush()
        except StaleDataError as error:
            raise ConflictError("somebody else changed this at the same time; read it again") from error

    def done(
        self, action: str, resource: Json, *, patient_id: UUID | None = None, location: str | None = None, **detail: str
    ) -> None:
        """Say what was done: it is projected to FHIR, audited and announced when the act commits.

        Args:
            action: `<noun>.<verb>`, as `appointment.book`.
            resource: the changed thing as FHIR R4.
            patient_id: whom it is about.
            location: the location that owns it.
            detail: what else helps to understand the audit event; never patients' data.
        """
        self.project(resource, location)
        self.announce(
            action, resource["resourceType"], resource["id"], patient_id=patient_id, location=location, **detail
        )

    def announce(
        self,
        action: str,
        resource_type: str,
        resource_id: str,
        *,
        patient_id: UUID | None = None,
        location: str | None = None,
        **detail: str,
    ) -> None:
        """Audit and announce what was done with something whose resource another source states."""
        self.noted(
            action,
            resource_type=resource_type,
            resource_id=resource_id,
            patient_id=patient_id,
            location=location,
            **detail,
        )
        self._announced.append(
            (new_id(), action, resource_type, UUID(resource_id), patient_id, location, self.actor.principal_id)
        )

    def project(self, resource: Json, location: str | None, *, is_born: bool = False) -> None:
        """Write a resource again that something done in this act has changed, such as whose it is.

        Args:
            resource: the thing as FHIR R4.
            location: the location that owns it.
            is_born: whether it got its id in this act, so that the record need not look for it.
        """
        self._entries.append(Entry(resource, OWN_SOURCE, resource["id"], location, self.moment, is_born=is_born))

    def noted(
        self,
        action: str,
        *,
        resource_type: str | None = None,
        resource_id: str | None = None,
        patient_id: UUID | None = None,
        location: str | None = None,
        **detail: str,
    ) -> None:
        """Audit something that changes no clinical or administrative resource, such as a role that is given."""
        self._events.append(
            AuditEvent(
                principal_id=self.actor.principal_id,
                action=action,
                resource_type=resource_type,
                resource_id=resource_id,
                patient_id=patient_id,
                purpose=self.actor.purpose,
                location=location or self.actor.location,
                detail=dict(detail),
            )
        )

    def at_commit(self, statement: LiteralString, values: Sequence[Any]) -> None:
        """Leave a statement to be sent with the COMMIT: nobody waits for its answer, nor does another of these."""
        self._unit.at_commit(statement, values)

    def finish(self) -> None:
        """Write projections, audit and announcements in the transaction of the rows."""
        self.flush()
        if self._entries:
            apply(self._unit.driver, self._entries, moment=self.moment, is_owner=True)
            crosswalk.observe(self._unit.driver, [entry.resource for entry in self._entries])
        if self._events:
            self._unit.at_commit(*audit.statement(*self._events))
        if self._announced:  # in one statement: whoever is told hears it in the order in which it was done
            rows = ", ".join([_ANNOUNCEMENT] * len(self._announced))
            self._unit.at_commit(_ANNOUNCE + rows, list(chain(*self._announced)))


@contextmanager
def act(database: Database, actor: Actor, *, moment: datetime | None = None) -> Iterator[Act]:
    """Give an act that commits when the block ends, and has not happened when the block raises."""
    with database.begin() as unit:
        doing = Act(unit, actor, moment or now())
        yield doing
        doing.finish()
