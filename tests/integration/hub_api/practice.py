"""A practice as tests work in it: two locations that share no charts, people with roles there, and what they ask."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import httpx

from ehr_pm.acts import Act, Actor, act
from ehr_pm.organisation import service as organisation
from ehr_pm.organisation.models import Organization
from ehr_pm.organisation.schemas import NewLocation, NewOrganization, NewPayer
from ehr_pm.record.queries import read
from ehr_pm.scheduling import setup
from ehr_pm.scheduling.schemas import NewBookable, NewRule, NewVisitType
from hub_api.security.caller import SESSION_COOKIE
from hub_core.access import Role
from hub_core.clock import now
from hub_core.fhir.canonical import Json, load_object
from hub_core.principals import Principal, open_session
from tests.integration.hub_api.hub import Hub

API = "/api/practice"
ZONE = ZoneInfo("America/New_York")
JPEG = b"\xff\xd8\xff" + b"card"
_SETTING_UP = Actor(uuid4())


@dataclass(frozen=True)
class Site:
    """A location, and what can be booked there."""

    key: str
    location_id: UUID
    clinicians: tuple[UUID, ...]
    room: UUID


@dataclass(frozen=True)
class Worker:
    """Somebody at work: their client, and who the audit trail says they are."""

    client: httpx.Client
    principal_id: UUID

    def post(self, path: str, body: Any = None, **headers: str) -> httpx.Response:
        return self.client.post(API + path, json=body, headers=_named(headers))

    def put(self, path: str, body: Any = None, **headers: str) -> httpx.Response:
        return self.client.put(API + path, json=body, headers=_named(headers))

    def get(self, path: str, **query: Any) -> httpx.Response:
        return self.client.get(API + path, params=query)


@dataclass
class Practice:
    """The practice behind a running hub."""

    hub: Hub
    north: Site
    south: Site
    visit_type_id: UUID
    payer_id: UUID
    stack: ExitStack
    workers: dict[tuple[str, str], Worker] = field(default_factory=dict)

    def works(self, role: Role, at: str = "northgate") -> Worker:
        """Return somebody who holds a role at a location, the same one each time."""
        if (role, at) not in self.workers:
            self.workers[role, at] = self._employ(role, at)
        return self.workers[role, at]

    def _employ(self, role: Role, at: str) -> Worker:
        person = Principal(uuid4(), f"{role}-{at}", "person", is_administrator=False)
        with self.hub.installation.database.begin() as unit:
            unit.driver.execute(
                "INSERT INTO principal (principal_id, name, kind) VALUES (%s, %s, 'person')",
                (person.principal_id, person.name),
            )
            unit.driver.execute(
                "INSERT INTO role_assignment (assignment_id, principal_id, role, location_id, valid_from, created_at,"
                " changed_at, version) SELECT gen_random_uuid(), %s, %s, location_id, now(), now(), now(), 1"
                " FROM location WHERE key = %s",
                (person.principal_id, role, at),
            )
            secret = open_session(unit.driver, person)
        client = self.stack.enter_context(self.hub.client())
        client.cookies.set(SESSION_COOKIE, secret)
        client.headers["X-Location"] = at
        return Worker(client, person.principal_id)

    def person(self, family: str = "Okafor", given: str = "Ada", *, at: str = "northgate", **more: Any) -> Json:
        """Return what registration is told of somebody."""
        site = self.north if at == "northgate" else self.south
        told = {"family": family, "given": given, "birth_date": "1980-04-02", "gender": "female"}
        return {**told, "home_location_id": str(site.location_id), **more}

    def registered(self, family: str = "Okafor", given: str = "Ada", *, at: str = "northgate", **more: Any) -> Json:
        """Return a patient whom the front desk of a location registered."""
        told = {"patient": self.person(family, given, at=at, **more), "despite": "another person in this test"}
        made = self.works("front_desk", at).post("/patients", told)
        assert made.status_code == 201, made.text
        return dict(made.json())

    def insured(self, patient: Json, member_id: str = "M123", **more: Any) -> Json:
        """Return a coverage that the front desk added to a patient."""
        told = {"payer_id": str(self.payer_id), "member_id": member_id, "starts": "2026-01-01", **more}
        made = self.works("front_desk").post(f"/patients/{patient['patient_id']}/coverages", told)
        assert made.status_code == 201, made.text
        return dict(made.json())

    def visit(self, patient: Json, start: datetime | None = None, *, site: Site | None = None, **more: Any) -> Json:
        """Return what booking is told: the first clinician, at nine in a month's time."""
        where = site or self.north
        return {
            "patient_id": patient["patient_id"],
            "location_id": str(where.location_id),
            "visit_type_id": str(self.visit_type_id),
            "bookable_ids": [str(where.clinicians[0])],
            "local_start": (start or at_nine()).isoformat(),
            **more,
        }

    def booked(self, patient: Json, start: datetime | None = None, **more: Any) -> Json:
        """Return a visit that the front desk booked."""
        made = self.works("front_desk").post("/appointments", self.visit(patient, start, **more))
        assert made.status_code == 201, made.text
        return dict(made.json())

    def resource(self, resource_type: str, resource_id: Any) -> Json:
        """Return what is projected to FHIR."""
        with self.hub.installation.database.begin() as unit:
            found = read(unit.driver, resource_type, UUID(str(resource_id)))
            assert found is not None
            return load_object(found.body)

    def audited(self, action: str, patient_id: Any = None) -> list[tuple[Any, ...]]:
        """Return who did something, where, and with what outcome, to a patient or to anybody."""
        return self.hub.query(
            "SELECT principal_id, location, outcome FROM audit_event WHERE action = %s"
            " AND (%s::uuid IS NULL OR patient_id = %s::uuid) ORDER BY recorded_at",
            (action, patient_id, patient_id),
        )

    def rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Return stored rows."""
        return self.hub.query(statement, values)


def at_nine(days: int = 30) -> datetime:
    """Return nine o'clock on the wall of a day ahead."""
    return datetime.combine(today() + timedelta(days=days), time(9))


def today() -> date:
    """Return the day it is at the locations."""
    return now().astimezone(ZONE).date()


def open_practice(hub: Hub, stack: ExitStack) -> Practice:
    """Return a practice of two locations with a visit type and a payer."""
    with act(hub.installation.database, _SETTING_UP) as doing:
        body = organisation.add_organization(doing, NewOrganization(name="Riverbend", npi="1234567893"))
        visit = setup.add_visit_type(doing, NewVisitType(key="follow-up", name="Follow-up", minutes=30))
        payer = NewPayer(number="PRMUT1", name="Prairie Mutual Health", filing_indicator="CI")
        payer_id = organisation.add_payer(doing, payer).payer_id
        north, south = (_site(doing, body, key) for key in ("northgate", "southgate"))
        return Practice(hub, north, south, visit.visit_type_id, payer_id, stack)


def _site(doing: Act, body: Organization, key: str) -> Site:
    told = NewLocation(key=key, organization_id=body.organization_id, name=key.title(), zone=str(ZONE))
    location = organisation.add_location(doing, told)
    clinicians = tuple(_bookable(doing, location.location_id, "practitioner", f"Dr {name}") for name in ("Ito", "Ruiz"))
    return Site(key, location.location_id, clinicians, _bookable(doing, location.location_id, "room", "Room 1"))


def _bookable(doing: Act, location_id: UUID, kind: str, name: str) -> UUID:
    told = {"location_id": location_id, "kind": kind, "subject_id": uuid4(), "name": name}
    bookable_id = setup.add_bookable(doing, NewBookable.model_validate(told)).bookable_id
    for weekday in range(1, 8):
        hours = {"weekday": weekday, "starts": time(0), "ends": time(17), "valid_from": date(2026, 1, 1)}
        setup.add_rule(doing, NewRule.model_validate({"bookable_id": bookable_id, **hours}))
    return bookable_id


def _named(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}
