"""Rows and record say the same after everything the practice does; a row changed behind its service's back is found."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import repeat
from uuid import UUID

import pytest
from click.testing import CliRunner

from ehr_pm.acts import act
from ehr_pm.coverage import eligibility
from ehr_pm.coverage import service as coverage
from ehr_pm.coverage.schemas import NewCoverage
from ehr_pm.organisation import service as organisation
from ehr_pm.organisation.schemas import NewPayer, NewRoom
from ehr_pm.patients import merging, service
from ehr_pm.patients.schemas import NewConsent, NewRelatedPerson
from ehr_pm.scheduling import service as schedule
from hub_core.clock import now
from pipelines import nightly, office
from pipelines.commands.reconcile import reconcile
from pipelines.installation import Installation
from tests.integration.ehr_pm import legacy
from tests.integration.ehr_pm.clinic import CLERK, NOW, open_clinic, wall
from tests.integration.ehr_pm.test_patients import register


def differences(installation: Installation) -> list[tuple[str, str]]:
    """Return what is found, by check and type."""
    found = nightly.reconcile(installation.database, now())
    assert found.compared > 0
    return sorted((each.check_name, each.subject_type) for each in found.findings)


@pytest.fixture
def practice(installation: Installation) -> Installation:
    """Return an installation in which everything that is projected has been done."""
    clinic = replace(open_clinic(installation.database, patients=0), patients=repeat(UUID(int=0)))
    with act(installation.database, CLERK, moment=NOW) as doing:
        one, other = register(doing, clinic), register(doing, clinic, given="Marie", despite="not sure")
        service.add_related(doing, one, NewRelatedPerson(relationship="spouse", family="Delgado", given="Luis"))
        service.record_consent(doing, one, NewConsent(kind="treatment", state="given", effective_on=NOW.date()))
        organisation.add_room(doing, NewRoom(location_id=clinic.location_id, name="Room 1"))
        organisation.add_room(doing, NewRoom(location_id=clinic.location_id, kind="device", name="Scanner"))
        payer = organisation.add_payer(doing, NewPayer(number="PRMUT1", name="Prairie Mutual", filing_indicator="CI"))
        new = NewCoverage(payer_id=payer.payer_id, member_id="M123", starts=date(2026, 1, 1))
        for patient in (one, other):
            coverage.add(doing, patient, new)
        visit = schedule.book(doing, clinic.told(wall(3, 9), patient_id=one.patient_id))
        eligibility.queue_for_appointment(doing, visit)
        moved = schedule.book(doing, clinic.told(wall(3, 11), patient_id=other.patient_id))
        there = clinic.told(wall(4, 11), patient_id=other.patient_id)
        schedule.reschedule(doing, moved.appointment_id, there, "at the patient's wish")
        schedule.hold(doing, clinic.told(wall(5, 9), patient_id=one.patient_id))
    office.ask_payers(installation)
    with act(installation.database, CLERK, moment=NOW) as doing:
        merging.merge(doing, one.patient_id, other.patient_id, "registered twice")
    legacy.hand_over(installation, clinic)
    legacy.receive(installation, legacy.siu("S12", "1", "7", legacy.at(1, 9)))
    return installation


def run(installation: Installation, statement: str) -> None:
    with installation.database.begin() as unit:
        assert unit.driver.execute(statement).rowcount > 0


def test_rows_and_record_agree_until_somebody_goes_behind_a_services_back(practice: Installation) -> None:
    assert differences(practice) == []
    run(practice, "UPDATE patient SET family = 'Nobody' WHERE merged_into IS NULL AND received_from IS NULL")
    run(practice, "DELETE FROM consent")
    assert differences(practice) == [("differs from its row", "Patient"), ("no row", "Consent")]
    run(practice, "UPDATE patient SET family = 'Delgado' WHERE family = 'Nobody'")
    assert differences(practice) == [("no row", "Consent")]
    with practice.database.begin() as unit:
        open_now = "SELECT check_name FROM finding WHERE settled_at IS NULL AND source = 'wholechart'"
        assert unit.driver.execute(open_now).fetchall() == [("no row",)]


def test_a_row_the_record_does_not_know_is_found(installation: Installation) -> None:
    open_clinic(installation.database, patients=2)  # these are made without their service
    assert differences(installation) == [("not in the record", "Patient")] * 2


def test_the_command_lists_what_differs(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    open_clinic(installation.database, patients=1)
    monkeypatch.setenv("WHOLECHART_DATABASE_URL", str(installation.settings.database_url))
    answer = CliRunner().invoke(
        reconcile, ["--dir", str(installation.settings.data_dir)], standalone_mode=False, catch_exceptions=False
    )
    assert answer.return_value == 1
    assert "1 differences" in answer.output
    assert "A row that the record does not know." in answer.output


def test_the_night_is_worked_once(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    worked: list[object] = []
    monkeypatch.setattr(nightly, "reconcile", lambda *told: worked.append(told))
    monkeypatch.setattr(nightly, "now", lambda: NOW)
    night = nightly.Night(installation)
    night.tick()
    night.tick()
    monkeypatch.setattr(nightly, "now", lambda: NOW.replace(day=3, hour=3))
    night.tick()
    assert len(worked) == 1
