"""People who work here: what they may do is what was given to them, for as long as it was, and ends when they go."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pyotp
import pytest
from pydantic import ValidationError

from ehr_pm.acts import Act, Actor, act
from ehr_pm.organisation import service as organisation
from ehr_pm.organisation.schemas import NewLocation, NewOrganization
from ehr_pm.record.queries import read
from ehr_pm.users import repository, service
from ehr_pm.users.models import BrokenGlass, CareTeamMember, RoleAssignment, Staff
from ehr_pm.users.schemas import (
    Emergency,
    NewCareTeamMember,
    NewLicence,
    NewProgram,
    NewRole,
    NewStaff,
    Review,
    StaffDetails,
)
from hub_core import second_factor
from hub_core.access import Access, Grant
from hub_core.clock import now
from hub_core.database import Database
from hub_core.errors import ConflictError, NotFoundError
from hub_core.fhir.canonical import Json, load_object
from hub_core.keyring import Keyring
from hub_core.principals import (
    Principal,
    authenticate_password,
    authenticate_session,
    authenticate_token,
    ensure_administrator,
    must_change_password,
    open_session,
    reason_against,
    set_password,
)
from pipelines.installation import Installation

JOAN = NewStaff(
    name="joan",
    family="Rivers",
    given="Joan",
    npi="2800020010",
    taxonomy="207Q00000X",
    licences=(NewLicence(state="IL", number="036-1", expires_on=datetime(2027, 7, 31, tzinfo=UTC).date()),),
)
WHY = "unconscious in the waiting room"


@pytest.fixture
def boss(database: Database) -> Principal:
    """Return the installation's first administrator."""
    with database.begin() as unit:
        ensure_administrator(unit.driver)
        row = unit.driver.execute("SELECT principal_id FROM principal WHERE name = 'admin'").fetchone()
        assert row is not None
        return Principal(row[0], "admin", "person", is_administrator=True)


@pytest.fixture
def doing(database: Database, boss: Principal) -> Iterator[Act]:
    with act(database, Actor(boss.principal_id)) as opened:
        yield opened


@pytest.fixture
def north(database: Database, boss: Principal) -> UUID:
    """Return a location that shares charts with another, beside a third that does not."""
    with act(database, Actor(boss.principal_id)) as doing:
        body = organisation.add_organization(doing, NewOrganization(name="Riverbend")).organization_id
        group = organisation.add_chart_group(doing, "Riverbend").chart_group_id
        shared = {"organization_id": body, "zone": "America/Chicago"}
        north = NewLocation.model_validate({**shared, "key": "north", "name": "North", "chart_group_id": group})
        for key, more in (("south", {"chart_group_id": group}), ("west", {})):
            told = NewLocation.model_validate({**shared, **more, "key": key, "name": key})
            organisation.add_location(doing, told)
        return organisation.add_location(doing, north).location_id


def person(row: Staff) -> Principal:
    return Principal(row.principal_id, "joan", "person", is_administrator=False)


def access(database: Database, principal: Principal) -> Access:
    with database.begin() as unit:
        return repository.access_of(unit.driver, principal)


def projected(database: Database, kind: str, resource_id: UUID) -> Json:
    with database.begin() as unit:
        found = read(unit.driver, kind, resource_id)
        assert found is not None
        return load_object(found.body)


def test_a_person_who_works_here_is_a_practitioner_with_licences(database: Database, boss: Principal) -> None:
    with act(database, Actor(boss.principal_id)) as doing:
        row, password = service.add_staff(doing, JOAN)
        practitioner_id = row.practitioner_id
    found = projected(database, "Practitioner", practitioner_id)
    assert found["active"] is True
    assert [each["value"] for each in found["identifier"]] == ["2800020010", "036-1"]
    assert found["qualification"][0]["period"] == {"end": "2027-07-31"}
    with database.begin() as unit:
        known = authenticate_password(unit.driver, "Joan", password)
        assert known is not None
        assert must_change_password(unit.driver, known)
        set_password(unit.driver, "joan", "seven brave lanterns")
        assert not must_change_password(unit.driver, known)
        events = unit.driver.execute("SELECT action, detail->>'subject' FROM audit_event WHERE action LIKE 'staff.%'")
        assert events.fetchall() == [("staff.add", str(known.principal_id))]


def test_names_and_npis_are_taken_once(database: Database, doing: Act) -> None:
    service.add_staff(doing, JOAN)
    with pytest.raises(ConflictError, match="name"):
        service.add_staff(doing, JOAN.model_copy(update={"name": "JOAN"}))
    with pytest.raises(ConflictError, match="NPI"):
        service.add_staff(doing, JOAN.model_copy(update={"name": "other"}))
    doing.session.rollback()


def test_nobody_supervises_whoever_supervises_them(doing: Act) -> None:
    senior, _ = service.add_staff(doing, JOAN)
    told = NewStaff(name="pat", family="Pell", given="Pat", supervisor_id=senior.principal_id)
    junior, _ = service.add_staff(doing, told)
    details = StaffDetails(family="Rivers", given="Joan", supervisor_id=junior.principal_id)
    with pytest.raises(ConflictError, match="each other"):
        service.change_staff(doing, senior, details)
    service.change_staff(doing, senior, StaffDetails(family="Rivers", given="Jo"))
    assert (senior.given, senior.npi, senior.licences) == ("Jo", None, [])


def test_a_role_reaches_the_locations_that_share_charts_with_its_own(
    database: Database, boss: Principal, north: UUID
) -> None:
    with act(database, Actor(boss.principal_id)) as doing:
        row, _ = service.add_staff(doing, JOAN)
        joan, practitioner_id = person(row), row.practitioner_id
        told = NewRole(role="clinician", location_id=north)
        role = service.give_role(doing, joan.principal_id, told).assignment_id
    assert access(database, joan).grants == (Grant("clinician", frozenset({"north", "south"})),)
    found = projected(database, "PractitionerRole", role)
    assert found["practitioner"] == {"reference": f"Practitioner/{practitioner_id}"}
    assert found["location"] == [{"reference": f"Location/{north}"}]
    assert found["active"] is True
    assert found["code"][0]["coding"][0]["code"] == "clinician"


def test_roles_begin_and_end_when_they_are_said_to(database: Database, boss: Principal, north: UUID) -> None:
    later = now() + timedelta(days=3)
    with act(database, Actor(boss.principal_id)) as doing:
        row, _ = service.add_staff(doing, JOAN)
        joan = person(row)
        service.give_role(doing, joan.principal_id, NewRole(role="biller", location_id=north, valid_from=later))
        everywhere = service.give_role(doing, joan.principal_id, NewRole(role="analyst")).assignment_id
    assert access(database, joan).grants == (Grant("analyst"),)
    with act(database, Actor(boss.principal_id)) as doing:
        with pytest.raises(ConflictError, match="already"):
            service.give_role(doing, joan.principal_id, NewRole(role="analyst", valid_from=later))
        service.end_role(doing, repository.get_role(doing.session, everywhere))
    assert access(database, joan).grants == ()
    assert projected(database, "PractitionerRole", everywhere)["active"] is False
    with pytest.raises(ValidationError):
        NewRole(role="biller", valid_from=later, valid_to=later)
    with pytest.raises(ValidationError):
        NewRole.model_validate({"role": "patient"})


def test_an_administrator_of_the_installation_holds_every_role_of_the_staff(
    database: Database, boss: Principal
) -> None:
    held = access(database, boss).grants
    assert {grant.role for grant in held} == set(repository.STAFF_ROLES)
    assert all(grant.locations is None for grant in held)


def test_a_program_has_one_role_at_one_place_and_a_token_that_ends(
    database: Database, boss: Principal, north: UUID
) -> None:
    with act(database, Actor(boss.principal_id)) as doing:
        issued = service.add_program(doing, NewProgram(name="lab", role="interface", location_id=north, days=30))
    with database.begin() as unit:
        program = authenticate_token(unit.driver, issued.secret)
        assert program is not None
        ends = unit.driver.execute("SELECT expires_at - now() FROM access_token").fetchone()
        assert ends is not None
        assert timedelta(days=29) < ends[0] <= timedelta(days=30)
    assert access(database, program).grants == (Grant("interface", frozenset({"north", "south"})),)


def test_a_chart_is_open_for_an_hour_and_judged_by_somebody_else(database: Database, boss: Principal) -> None:
    patient_id, long_ago = uuid4(), now() - timedelta(minutes=61)
    with act(database, Actor(boss.principal_id)) as doing:
        row, _ = service.add_staff(doing, JOAN)
        joan = person(row)
    with act(database, Actor(joan.principal_id), moment=long_ago) as doing:
        service.break_glass(doing, Emergency(patient_id=uuid4(), reason=WHY), "north")
    with act(database, Actor(joan.principal_id)) as doing:
        opened = service.break_glass(doing, Emergency(patient_id=patient_id, reason=WHY), "north").grant_id
    assert access(database, joan).broken_glass == {patient_id}
    with act(database, Actor(joan.principal_id)) as doing:
        mine = doing.session.get(BrokenGlass, opened)
        assert mine is not None
        with pytest.raises(ConflictError, match="does not judge"):
            service.review_glass(doing, mine, Review(finding="justified"))
    with act(database, Actor(boss.principal_id)) as doing:
        tasks = repository.unreviewed_glass(doing.session)
        assert [each.grant_id for each in tasks][1] == opened
        service.review_glass(doing, tasks[1], Review(finding="not justified", note="no emergency"))
        assert len(repository.unreviewed_glass(doing.session)) == 1
        with pytest.raises(ConflictError, match="before"):
            service.review_glass(doing, tasks[1], Review(finding="justified"))
    with database.begin() as unit:
        events = unit.driver.execute("SELECT action FROM audit_event WHERE patient_id = %s ORDER BY 1", (patient_id,))
        assert [each[0] for each in events.fetchall()] == ["glass.break", "glass.review"]
    with pytest.raises(ValidationError):
        Emergency(patient_id=patient_id, reason="x")


def test_everything_ends_with_whoever_goes(database: Database, boss: Principal, north: UUID) -> None:
    patient_id = _patient(database, north)
    with act(database, Actor(boss.principal_id)) as doing:
        row, password = service.add_staff(doing, JOAN)
        joan, practitioner_id = person(row), row.practitioner_id
        role = service.give_role(doing, joan.principal_id, NewRole(role="clinician", location_id=north)).assignment_id
        service.join_care_team(doing, NewCareTeamMember(patient_id=patient_id, principal_id=joan.principal_id))
    with act(database, Actor(joan.principal_id)) as doing:
        service.break_glass(doing, Emergency(patient_id=patient_id, reason=WHY), "north")
    with database.begin() as unit:
        session = open_session(unit.driver, joan)
        unit.driver.execute(
            "INSERT INTO portal_link (link_id, principal_id, patient_id, relation, valid_from, created_at, changed_at,"
            " version) VALUES (gen_random_uuid(), %s, %s, 'self', now(), now(), now(), 1)",
            (joan.principal_id, patient_id),
        )
    before = access(database, joan)
    assert {grant.role for grant in before.grants} == {"clinician", "patient"}
    assert before.care_team_of == before.broken_glass == {patient_id}
    with act(database, Actor(boss.principal_id)) as doing:
        service.deactivate(doing, joan.principal_id)
    after = access(database, joan)
    assert (after.grants, after.care_team_of, after.broken_glass) == ((), frozenset(), frozenset())
    with database.begin() as unit:
        assert authenticate_session(unit.driver, session) is None
        assert authenticate_password(unit.driver, "joan", password) is None
    assert projected(database, "Practitioner", practitioner_id)["active"] is False
    assert projected(database, "PractitionerRole", role)["active"] is False
    with act(database, Actor(boss.principal_id)) as doing:
        for again in (service.deactivate, service.reset_password):
            with pytest.raises(ConflictError, match="deactivated"):
                again(doing, joan.principal_id)
        with pytest.raises(ConflictError, match="themselves"):
            service.deactivate(doing, boss.principal_id)
        with pytest.raises(NotFoundError):
            service.deactivate(doing, uuid4())


def test_the_token_of_a_program_ends_with_it(database: Database, boss: Principal) -> None:
    with act(database, Actor(boss.principal_id)) as doing:
        issued = service.add_program(doing, NewProgram(name="lab", role="interface"))
    with act(database, Actor(boss.principal_id)) as doing:
        service.deactivate(doing, issued.principal_id)
    with database.begin() as unit:
        assert authenticate_token(unit.driver, issued.secret) is None
        held = unit.session.query(RoleAssignment).one()
        assert held.valid_to is not None


def test_whose_records_one_treats_is_known_across_the_records_of_a_person(
    database: Database, boss: Principal, north: UUID
) -> None:
    one, other, person_id = _patient(database, north), uuid4(), uuid4()
    with act(database, Actor(boss.principal_id)) as doing:
        row, _ = service.add_staff(doing, JOAN)
        joan = person(row)
        told = NewCareTeamMember(patient_id=one, principal_id=joan.principal_id)
        member = service.join_care_team(doing, told).member_id
        with pytest.raises(ConflictError, match="already"):
            service.join_care_team(doing, told)
    assert access(database, joan).care_team_of == {one}
    with database.begin() as unit:
        unit.driver.execute("INSERT INTO person (person_id, created_at) VALUES (%s, now())", (person_id,))
        for patient_id in (one, other):
            unit.driver.execute(
                "INSERT INTO person_member (patient_id, person_id, valid_from, reason) VALUES (%s, %s, now(), '')",
                (patient_id, person_id),
            )
    assert access(database, joan).care_team_of == {one, other}
    with act(database, Actor(boss.principal_id)) as doing:
        row_of_member = doing.session.get(CareTeamMember, member)
        assert row_of_member is not None
        service.leave_care_team(doing, row_of_member)
    assert access(database, joan).care_team_of == frozenset()


def test_a_code_is_good_once_and_its_secret_rests_sealed(installation: Installation, boss: Principal) -> None:
    keyring = Keyring(installation.settings.keys_dir)
    secret = second_factor.new_secret()
    code = pyotp.TOTP(secret).now()
    with installation.database.begin() as unit:
        assert second_factor.is_shown(unit.driver, boss.principal_id, "", keyring), "nothing is enrolled"
        assert not second_factor.enrol(unit.driver, boss.principal_id, secret, "000000x", keyring)
        assert second_factor.enrol(unit.driver, boss.principal_id, secret, code, keyring)
        assert not second_factor.is_shown(unit.driver, boss.principal_id, code, keyring), "it was used to enrol"
        for wrong in ("", "123", "é", secret):
            assert not second_factor.is_shown(unit.driver, boss.principal_id, wrong, keyring)
        following = pyotp.TOTP(secret).at(datetime.now(UTC) + timedelta(seconds=30))
        assert second_factor.is_shown(unit.driver, boss.principal_id, f"{following[:3]} {following[3:]}", keyring)
        assert not second_factor.is_shown(unit.driver, boss.principal_id, following, keyring)
        sealed = unit.driver.execute("SELECT totp_secret FROM principal WHERE name = 'admin'").fetchone()
        assert sealed is not None
        assert secret.encode() not in sealed[0]
        second_factor.forget(unit.driver, boss.principal_id)
        assert second_factor.is_shown(unit.driver, boss.principal_id, "", keyring)


@pytest.mark.parametrize("new", ["short", "aaaaaaaaaaaaaaaa", "my name is joan!", "the old one, again", "x" * 2000])
def test_a_password_that_is_easily_guessed_is_refused(new: str) -> None:
    assert reason_against("joan", "the old one, again", new)
    assert reason_against("joan", "the old one, again", "seven brave lanterns") is None


def _patient(database: Database, location_id: UUID) -> UUID:
    with database.begin() as unit:
        row = unit.driver.execute(
            "INSERT INTO patient (patient_id, mrn, home_location_id, family, given, birth_date, gender, created_at,"
            " changed_at, version) VALUES (gen_random_uuid(), 'T1', %s, 'Okafor', 'Ada', '1980-04-02', 'female', now(),"
            " now(), 1) RETURNING patient_id",
            (location_id,),
        ).fetchone()
        assert row is not None
        found: UUID = row[0]
        return found
