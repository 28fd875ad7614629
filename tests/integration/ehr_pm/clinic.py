"""A small clinic to book in: one location, clinicians with weekly hours, a room, a visit type."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from itertools import cycle
from uuid import UUID, uuid4

from sqlalchemy import text

from ehr_pm.acts import Act, Actor, act
from ehr_pm.organisation import service as organisation
from ehr_pm.organisation.schemas import NewLocation, NewOrganization
from ehr_pm.scheduling import setup
from ehr_pm.scheduling.schemas import NewAppointment, NewBookable, NewRule, NewVisitType
from hub_core.database import Database

CLERK = Actor(uuid4(), location="northgate", purpose="TREAT")
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
MONDAY = date(2026, 3, 2)


@dataclass(frozen=True)
class Clinic:
    location_id: UUID
    visit_type_id: UUID
    clinicians: tuple[UUID, ...]
    room: UUID
    patients: Iterator[UUID]
    """Somebody else each time, until all have had their turn."""

    def told(self, start: datetime, *, taking: Sequence[UUID] | None = None, **more: object) -> NewAppointment:
        return NewAppointment.model_validate(
            {
                "patient_id": next(self.patients),
                "location_id": self.location_id,
                "visit_type_id": self.visit_type_id,
                "bookable_ids": tuple(taking or self.clinicians[:1]),
                "local_start": start,
                **more,
            }
        )


def wall(day: int, hour: int, minute: int = 0) -> datetime:
    """Return what the clock on the wall shows in March 2026."""
    return datetime(2026, 3, day, hour, minute)  # noqa: DTZ001 - wall time has no zone


def open_clinic(
    database: Database, *, clinicians: int = 2, lanes: int = 1, zone: str = "America/New_York", patients: int = 60
) -> Clinic:
    with act(database, CLERK, moment=NOW) as doing:
        body = organisation.add_organization(doing, NewOrganization(name="Riverbend"))
        told = NewLocation(key="northgate", organization_id=body.organization_id, name="Northgate", zone=zone)
        location = organisation.add_location(doing, told)
        visit = setup.add_visit_type(doing, NewVisitType(key="follow-up", name="Follow-up", minutes=30))
        people = tuple(_bookable(doing, location.location_id, "practitioner", n, lanes) for n in range(clinicians))
        room = _bookable(doing, location.location_id, "room", 0, 1)
        known = cycle(_patients(doing, location.location_id, patients))
        return Clinic(location.location_id, visit.visit_type_id, people, room, known)


def _patients(doing: Act, location_id: UUID, count: int) -> list[UUID]:
    """Return patients nobody has to tell apart."""
    inserted = doing.session.execute(
        text(
            "INSERT INTO patient (patient_id, mrn, home_location_id, family, given, birth_date, gender, created_at,"
            " changed_at, version) SELECT gen_random_uuid(), 'T' || n, :location, 'Family ' || n, 'Given',"
            " '1990-01-01', 'unknown', now(), now(), 1 FROM generate_series(1, :count) n RETURNING patient_id"
        ),
        {"location": location_id, "count": count},
    )
    return list(inserted.scalars())


def _bookable(doing: Act, location_id: UUID, kind: str, number: int, lanes: int) -> UUID:
    told = NewBookable.model_validate(
        {"location_id": location_id, "kind": kind, "subject_id": uuid4(), "name": f"{kind} {number}", "lanes": lanes}
    )
    bookable_id = setup.add_bookable(doing, told).bookable_id
    for weekday in range(1, 8):
        setup.add_rule(
            doing,
            NewRule(
                bookable_id=bookable_id, weekday=weekday, starts=time(0), ends=time(17), valid_from=date(2026, 1, 1)
            ),
        )
    return bookable_id
