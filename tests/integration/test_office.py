"""The office: payers are asked, reminders go out, holds run out; seen in rows, in FHIR and in the audit trail."""

from __future__ import annotations

import stat
from datetime import date
from uuid import UUID

import pytest
from sqlalchemy import text

from ehr_pm.acts import act
from ehr_pm.coverage import eligibility
from ehr_pm.coverage import service as coverage
from ehr_pm.coverage.schemas import NewCoverage
from ehr_pm.organisation import service as organisation
from ehr_pm.organisation.schemas import NewPayer
from ehr_pm.patients import repository as patients
from ehr_pm.patients import service as registration
from ehr_pm.patients.schemas import Contact
from ehr_pm.record.queries import read
from ehr_pm.scheduling import service as schedule
from hub_core.fhir.canonical import load_object
from pipelines import office
from pipelines.installation import Installation
from tests.integration.ehr_pm.clinic import CLERK, NOW, Clinic, open_clinic, wall


@pytest.fixture
def clinic(installation: Installation) -> Clinic:
    return open_clinic(installation.database, patients=2)


def audited(installation: Installation, action: str) -> list[tuple[object, ...]]:
    with installation.database.begin() as unit:
        query = text("SELECT principal_id, patient_id, location FROM audit_event WHERE action = :action")
        return [tuple(row) for row in unit.session.execute(query, {"action": action})]


def insure(installation: Installation, patient_id: UUID, member_id: str) -> None:
    with act(installation.database, CLERK, moment=NOW) as doing:
        told = NewPayer(number="PRMUT1", name="Prairie Mutual Health", filing_indicator="CI")
        payer = organisation.add_payer(doing, told)
        new = NewCoverage(payer_id=payer.payer_id, member_id=member_id, starts=date(2026, 1, 1))
        coverage.add(doing, patients.get(doing.session, patient_id), new)


@pytest.mark.parametrize(("member_id", "in_force"), [("M123", True), ("M101", False), ("M100", None)])
def test_payers_are_asked_and_the_raw_answer_is_kept_sealed(
    installation: Installation, clinic: Clinic, member_id: str, in_force: bool | None
) -> None:
    patient_id = next(clinic.patients)
    insure(installation, patient_id, member_id)
    with act(installation.database, CLERK, moment=NOW) as doing:
        made = schedule.book(doing, clinic.told(wall(10, 9), patient_id=patient_id))
        eligibility.queue_for_appointment(doing, made)
    assert office.ask_payers(installation) == 1
    assert office.ask_payers(installation) == 0
    with installation.database.begin() as unit:
        query = "SELECT check_id, request, answer FROM eligibility_check"
        [(check_id, request, answer)] = unit.driver.execute(query).fetchall()
        found = read(unit.driver, "CoverageEligibilityResponse", check_id)
        assert found is not None
        assert load_object(found.body)["insurance"][0].get("inforce") is in_force
        assert member_id.encode() not in answer
        assert f"MI*{member_id}~".encode() in installation.keyring.unseal(request)
        assert b"ST*271*" in installation.keyring.unseal(answer)
    assert audited(installation, "eligibility.answer") == [(None, patient_id, "northgate")]


def test_reminders_are_left_in_the_outbox_for_its_owner_only(installation: Installation, clinic: Clinic) -> None:
    patient_id, unreachable = next(clinic.patients), next(clinic.patients)
    reach = Contact(kind="mobile", value="+12175550101", may_text=True)
    with act(installation.database, CLERK, moment=NOW) as doing:
        registration.set_contacts(doing, patients.get(doing.session, patient_id), [reach])
        made = schedule.book(doing, clinic.told(wall(10, 9), patient_id=patient_id))
        schedule.book(doing, clinic.told(wall(10, 10), patient_id=unreachable))
    assert office.send_reminders(installation) == 2  # three days and one day before: both are due by now
    assert office.send_reminders(installation) == 0
    [file] = (installation.settings.data_dir / "outbox").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert str(made.appointment_id) in file.name
    assert load_object(file.read_bytes()) == {
        "to": [{"channel": "text", "to": "+12175550101"}],
        "text": "You have an appointment at Northgate on Tuesday, March 10 at 9:00 AM.",
    }
    assert audited(installation, "reminder.send") == [(None, patient_id, "northgate")] * 2


def test_a_hold_that_ran_out_is_cancelled_and_its_time_is_free(installation: Installation, clinic: Clinic) -> None:
    patient_id = next(clinic.patients)
    with act(installation.database, CLERK, moment=NOW) as doing:
        held = schedule.hold(doing, clinic.told(wall(10, 9), patient_id=patient_id))
    assert office.release_holds(installation) == 1
    assert office.release_holds(installation) == 0
    with installation.database.begin() as unit:
        query = text("SELECT status, status_reason, held_until FROM appointment")
        assert unit.session.execute(query).one() == ("cancelled", schedule.RAN_OUT, None)
        assert unit.session.scalar(text("SELECT count(*) FROM resource_booking WHERE is_blocking")) == 0
        found = read(unit.driver, "Appointment", held.appointment_id)
        assert found is not None
        assert load_object(found.body)["status"] == "cancelled"
    assert audited(installation, "appointment.cancelled") == [(None, patient_id, "northgate")]


def test_a_tick_does_all_of_it(installation: Installation, clinic: Clinic) -> None:
    patient_id = next(clinic.patients)
    insure(installation, patient_id, "M123")
    with act(installation.database, CLERK, moment=NOW) as doing:
        schedule.hold(doing, clinic.told(wall(10, 9), patient_id=patient_id))
        made = schedule.book(doing, clinic.told(wall(10, 11), patient_id=patient_id, taking=[clinic.clinicians[1]]))
        eligibility.queue_for_appointment(doing, made)
    office.Office(installation).tick()
    with installation.database.begin() as unit:
        assert unit.session.scalar(text("SELECT state FROM eligibility_check")) == "active"
        assert unit.session.scalar(text("SELECT count(*) FROM appointment WHERE status = 'hold'")) == 0
