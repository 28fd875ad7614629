"""Projecting every row of ours again, and comparing it with what the record holds: no double truth, or it is seen.

A concept that projects adds a line to `SHELVES`; what the record holds in our name of any other type stands on no row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from uuid import UUID

from sqlalchemy import ColumnElement, select, true
from sqlalchemy.orm import InstrumentedAttribute, Session

from ehr_pm.coverage import fhir as coverage
from ehr_pm.coverage.models import Coverage, EligibilityCheck
from ehr_pm.findings import Check, Finding
from ehr_pm.organisation import fhir as organisation
from ehr_pm.organisation.models import Location, Organization, Payer, Room
from ehr_pm.patients import fhir as patients
from ehr_pm.patients.models import Consent, Patient, PatientMerge, RelatedPerson
from ehr_pm.scheduling import fhir as scheduling
from ehr_pm.scheduling import repository as schedule
from ehr_pm.scheduling.models import Appointment
from ehr_pm.users import fhir as users
from ehr_pm.users.models import RoleAssignment, Staff
from hub_core.feeds import OWN_SOURCE
from hub_core.fhir.canonical import Json, content_hash

if TYPE_CHECKING:
    from datetime import datetime

    import psycopg

    from hub_core.database import Database

Project: TypeAlias = Callable[[Session, Sequence[Any]], Iterable[Json]]

CHECKS: Final[tuple[Check, ...]] = ("differs from its row", "not in the record", "no row")
_BATCH: Final = 500
_STORED = """
SELECT resource_id, content_sha, location FROM resource
WHERE resource_type = %s AND resource_id = ANY(%s) AND source = %s AND NOT deleted
"""
_OURS = "SELECT resource_type, resource_id, location FROM resource r WHERE source = %s AND NOT deleted"


@dataclass(frozen=True, slots=True)
class Shelf:
    """Rows of one table, and the resources that stand for them."""

    resource_types: tuple[str, ...]
    key: InstrumentedAttribute[UUID]
    """The column that is the resource's id."""
    project: Project
    only: ColumnElement[bool]
    """Which rows are projected."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What came of comparing everything."""

    compared: int
    findings: tuple[Finding, ...]


def _each(project: Callable[[Any], Json]) -> Project:
    return lambda _, rows: map(project, rows)


def _practitioner_roles(session: Session, rows: Sequence[RoleAssignment]) -> Iterator[Json]:
    """Yield roles as they were when they were last changed: they begin and end by themselves."""
    people = select(Staff).where(Staff.principal_id.in_([row.principal_id for row in rows]))
    staff = {each.principal_id: each for each in session.scalars(people)}
    for row in rows:
        if row.principal_id in staff:
            yield users.practitioner_role(row, staff[row.principal_id], row.changed_at)


def _appointments(session: Session, rows: Sequence[Appointment]) -> Iterator[Json]:
    taken = schedule.taken_by_each(session, rows)
    for row in rows:
        yield scheduling.appointment(row, taken[row.appointment_id])


def _linkages(session: Session, rows: Sequence[PatientMerge]) -> Iterator[Json]:
    for row in rows:
        survivor, merged = (session.get_one(Patient, each) for each in (row.survivor_id, row.merged_id))
        yield patients.merged(survivor, merged, str(row.merge_id), is_standing=row.undone_at is None)


SHELVES: Final = (
    Shelf(("Organization",), Organization.organization_id, _each(organisation.organization), true()),
    Shelf(("Organization",), Payer.payer_id, _each(organisation.payer), true()),
    Shelf(("Location",), Location.location_id, _each(organisation.location), true()),
    Shelf(("Location", "Device"), Room.room_id, _each(organisation.room), true()),
    Shelf(("Practitioner",), Staff.practitioner_id, _each(users.practitioner), true()),
    Shelf(("PractitionerRole",), RoleAssignment.assignment_id, _practitioner_roles, true()),
    Shelf(("Patient",), Patient.patient_id, _each(patients.patient), Patient.received_from.is_(None)),
    Shelf(("Linkage",), PatientMerge.merge_id, _linkages, PatientMerge.received_from.is_(None)),
    Shelf(("RelatedPerson",), RelatedPerson.related_id, _each(patients.related), true()),
    Shelf(("Consent",), Consent.consent_id, _each(patients.consent), true()),
    Shelf(("Coverage",), Coverage.coverage_id, _each(coverage.coverage), true()),
    Shelf(
        ("CoverageEligibilityResponse",),
        EligibilityCheck.check_id,
        _each(coverage.answer),
        EligibilityCheck.state != "queued",
    ),
    Shelf(("Appointment",), Appointment.appointment_id, _appointments, Appointment.received_from.is_(None)),
)


def compare(database: Database, moment: datetime) -> Comparison:
    """Return where the record and our rows say different things; each batch is read as of one instant."""
    compared, findings = 0, list(_without_row(database, moment))
    for shelf in SHELVES:
        for count, found in _compare(database, shelf, moment):
            compared += count
            findings += found
    return Comparison(compared, tuple(findings))


def _compare(database: Database, shelf: Shelf, moment: datetime) -> Iterator[tuple[int, list[Finding]]]:
    """Yield, batch by batch, how many rows were compared and what was found."""
    model, after = shelf.key.class_, UUID(int=0)
    while True:
        with database.begin() as unit:
            unit.driver.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            query = select(model).where(shelf.key > after, shelf.only).order_by(shelf.key).limit(_BATCH)
            rows: list[Any] = list(unit.session.scalars(query))
            if not rows:
                return
            after = getattr(rows[-1], shelf.key.key)
            projected = list(shelf.project(unit.session, rows))
            yield len(projected), list(_differing(unit.driver, projected, moment))
        if len(rows) < _BATCH:
            return


def _differing(connection: psycopg.Connection[Any], projected: Sequence[Json], moment: datetime) -> Iterator[Finding]:
    by_type: dict[str, list[Json]] = {}
    for each in projected:
        by_type.setdefault(each["resourceType"], []).append(each)
    for kind, resources in by_type.items():
        ids = [UUID(each["id"]) for each in resources]
        stored = {key: rest for key, *rest in connection.execute(_STORED, (kind, ids, OWN_SOURCE)).fetchall()}
        for key, each in zip(ids, resources, strict=True):
            sha, location = stored.get(key, (None, None))
            if sha is None:
                yield Finding("not in the record", kind, key, OWN_SOURCE, location, moment)
            elif sha != content_hash(each):
                yield Finding("differs from its row", kind, key, OWN_SOURCE, location, moment)


def _without_row(database: Database, moment: datetime) -> Iterator[Finding]:
    """Yield what the record says in our name that no row stands behind."""
    shelves = (
        f"NOT (resource_type = ANY(%s) AND EXISTS (SELECT FROM {shelf.key.class_.__tablename__} t"
        f" WHERE t.{shelf.key.key} = r.resource_id))"
        for shelf in SHELVES
    )
    query = " AND ".join([_OURS, *shelves])
    with database.begin() as unit:
        rows = unit.driver.execute(query, (OWN_SOURCE, *(list(shelf.resource_types) for shelf in SHELVES)))
        finding = partial(Finding, "no row", source=OWN_SOURCE, found_at=moment)
        found = [finding(subject_type=kind, subject_id=key, location=location) for kind, key, location in rows]
    yield from found
