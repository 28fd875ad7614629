"""The organisation: rows, FHIR, audit and announcement of one act commit together, or none of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import time
from uuid import UUID, uuid4

import pytest
from psycopg.errors import NotNullViolation
from pydantic import ValidationError

from ehr_pm.acts import Act, Actor, act
from ehr_pm.organisation import repository, service
from ehr_pm.organisation.models import Location, Organization
from ehr_pm.organisation.schemas import Hours, NewLocation, NewOrganization, NewPayer, NewRoom
from ehr_pm.record.queries import read
from ehr_pm.rows import get
from hub_core.database import Database, UnitOfWork
from hub_core.errors import ConflictError, NotFoundError
from hub_core.feeds import OWN_SOURCE
from hub_core.fhir.canonical import Json, load_object

WHO = Actor(uuid4(), location="northgate", purpose="HOPERAT")
WEEK = tuple(Hours(weekday=day, opens=time(8), closes=time(17)) for day in range(1, 6))


@pytest.fixture
def organization(database: Database) -> UUID:
    with act(database, WHO) as doing:
        return service.add_organization(doing, NewOrganization(name="Riverbend", npi="2800020010")).organization_id


def northgate(organization: UUID, **more: object) -> NewLocation:
    told = {"key": "northgate", "organization_id": organization, "name": "Northgate", "zone": "America/Chicago"}
    return NewLocation.model_validate({**told, "hours": WEEK, **more})


def projected(unit: UnitOfWork, kind: str, resource_id: UUID) -> Json:
    found = read(unit.driver, kind, resource_id)
    assert found is not None
    return load_object(found.body)


@pytest.fixture
def doing(database: Database) -> Iterator[Act]:
    with act(database, WHO) as opened:
        yield opened


def test_a_location_is_a_row_a_resource_an_audit_event_and_an_announcement(
    database: Database, organization: UUID
) -> None:
    with act(database, WHO) as doing:
        location_id = service.add_location(doing, northgate(organization)).location_id
    with database.begin() as unit:
        found = projected(unit, "Location", location_id)
        assert [each["daysOfWeek"] for each in found["hoursOfOperation"]] == [
            ["mon"], ["tue"], ["wed"], ["thu"], ["fri"],
        ]  # fmt: skip
        stored = unit.driver.execute("SELECT source, location FROM resource WHERE resource_id = %s", (location_id,))
        assert stored.fetchall() == [(OWN_SOURCE, "northgate")]
        events = unit.driver.execute(
            "SELECT action, principal_id, purpose FROM audit_event WHERE resource_id = %s", (str(location_id),)
        )
        assert events.fetchall() == [("location.add", WHO.principal_id, "HOPERAT")]
        told = unit.driver.execute("SELECT kind FROM outbox_event WHERE subject_id = %s", (location_id,))
        assert told.fetchall() == [("location.add",)]


def test_an_act_that_fails_leaves_nothing(database: Database, organization: UUID) -> None:
    def fail() -> None:
        with act(database, WHO) as doing:
            service.add_location(doing, northgate(organization))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with database.begin() as unit:
        assert repository.locations(unit.session) == []
        rows = unit.driver.execute("SELECT count(*) FROM resource WHERE resource_type = 'Location'").fetchall()
        assert rows == [(0,)]
        assert unit.driver.execute("SELECT action FROM audit_event").fetchall() == [("organization.add",)]


def test_what_fails_at_the_commit_undoes_the_act(database: Database, organization: UUID) -> None:
    def fail() -> None:
        with act(database, WHO) as doing:
            service.add_location(doing, northgate(organization))
            doing.at_commit("INSERT INTO outbox_event DEFAULT VALUES", ())

    with pytest.raises(NotNullViolation):
        fail()
    with database.begin() as unit:
        assert repository.locations(unit.session) == []
        assert unit.driver.execute("SELECT action FROM audit_event").fetchall() == [("organization.add",)]


def test_a_key_is_taken_once(database: Database, organization: UUID, doing: Act) -> None:
    service.add_location(doing, northgate(organization))
    with pytest.raises(ConflictError, match="key"):
        service.add_location(doing, northgate(organization))
    doing.session.rollback()


def test_two_who_change_the_same_version_are_told(database: Database, organization: UUID) -> None:
    def change_after_another() -> None:
        with act(database, WHO) as one:
            mine = get(one.session, Organization, organization, "organization")
            with act(database, WHO) as other:
                theirs = get(other.session, Organization, organization, "organization")
                other.change(theirs, name="Riverbend Medical Group")
            one.change(mine, name="Riverbend")

    with pytest.raises(ConflictError, match="at the same time"):
        change_after_another()
    with database.begin() as unit:
        kept = get(unit.session, Organization, organization, "organization")
        assert (kept.name, kept.version) == ("Riverbend Medical Group", 2)


def test_hours_are_replaced_and_rooms_closed(database: Database, organization: UUID) -> None:
    with act(database, WHO) as doing:
        location = service.add_location(doing, northgate(organization))
        room = service.add_room(doing, NewRoom(location_id=location.location_id, name="Room 1"))
    with act(database, WHO) as doing:
        location = repository.location_by_key(doing.session, "northgate")
        service.set_hours(doing, location, [Hours(weekday=6, opens=time(9), closes=time(12))])
        service.close_room(doing, room.room_id)
    with database.begin() as unit:
        location = repository.location_by_key(unit.session, "northgate")
        assert [(each.weekday, each.opens) for each in location.hours] == [(6, time(9))]
        assert repository.rooms(unit.session, location.location_id) == []
        found = projected(unit, "Location", room.room_id)
        assert found["status"] == "inactive"


def test_what_is_not_known_is_refused(database: Database, doing: Act) -> None:
    with pytest.raises(NotFoundError):
        service.add_location(doing, northgate(uuid4()))
    with pytest.raises(NotFoundError):
        get(doing.session, Location, uuid4(), "location")


def test_a_payer_is_an_organization_that_pays(database: Database) -> None:
    with act(database, WHO) as doing:
        told = NewPayer(number="PRMUT1", name="Prairie Mutual Health", filing_indicator="CI")
        payer_id = service.add_payer(doing, told).payer_id
    with database.begin() as unit:
        found = projected(unit, "Organization", payer_id)
        assert found["type"][0]["coding"][0]["code"] == "pay"
        assert [payer.number for payer in repository.payers(unit.session)] == ["PRMUT1"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"npi": "2800020011"},
        {"zone": "Chicago"},
        {"key": "North Gate"},
        {"clia": "11D"},
        {"hours": (WEEK[0], Hours(weekday=1, opens=time(16), closes=time(18)))},
    ],
)
def test_what_cannot_be_is_refused_before_it_is_written(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        northgate(uuid4(), **wrong)
