"""Coverages: one of a rank on any day; eligibility is asked for the day of the visit and never in anybody's way."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from pydantic import ValidationError

from ehr_pm.acts import act
from ehr_pm.coverage import eligibility, repository, service
from ehr_pm.coverage.eligibility import Answer, Begin, Question
from ehr_pm.coverage.models import Coverage, EligibilityCheck
from ehr_pm.coverage.schemas import NewCoverage
from ehr_pm.organisation import service as organisation
from ehr_pm.organisation.schemas import NewPayer
from ehr_pm.patients import repository as patients
from ehr_pm.record.queries import read
from ehr_pm.scheduling import service as schedule
from ehr_pm.scheduling.models import Appointment
from hub_core.database import Database
from hub_core.errors import ConflictError, TooLargeError, UnreadableError
from hub_core.fhir.canonical import load_object
from hub_core.keyring import Keyring
from tests.integration.ehr_pm.clinic import CLERK, NOW, Clinic, open_clinic, wall

JPEG = b"\xff\xd8\xff" + b"card"


@pytest.fixture
def clinic(database: Database) -> Clinic:
    return open_clinic(database, patients=2)


@pytest.fixture
def payer(database: Database) -> UUID:
    with act(database, CLERK, moment=NOW) as doing:
        told = NewPayer(number="PRMUT1", name="Prairie Mutual Health", filing_indicator="CI")
        return organisation.add_payer(doing, told).payer_id


@pytest.fixture
def patient(clinic: Clinic) -> UUID:
    return next(clinic.patients)


@pytest.fixture
def keyring(tmp_path: Path) -> Keyring:
    return Keyring(tmp_path / "keys")


def told(payer: UUID, **more: object) -> NewCoverage:
    return NewCoverage.model_validate({"payer_id": payer, "member_id": "M123", "starts": date(2026, 1, 1), **more})


def add(database: Database, patient: UUID, new: NewCoverage) -> Coverage:
    with act(database, CLERK, moment=NOW) as doing:
        return service.add(doing, patients.get(doing.session, patient), new)


def test_a_coverage_is_a_row_and_a_resource(database: Database, patient: UUID, payer: UUID) -> None:
    row = add(database, patient, told(payer, ends=date(2026, 12, 31), group_number="G1"))
    with database.begin() as unit:
        found = read(unit.driver, "Coverage", row.coverage_id)
        assert found is not None
        resource = load_object(found.body)
        assert found.patient_id == patient
        assert (resource["order"], resource["period"]) == (1, {"start": "2026-01-01", "end": "2026-12-31"})


def test_of_a_rank_one_holds_on_any_day(database: Database, patient: UUID, payer: UUID) -> None:
    first = add(database, patient, told(payer))
    with pytest.raises(ConflictError, match="rank"):
        add(database, patient, told(payer, starts=date(2026, 6, 1)))
    add(database, patient, told(payer, rank=2))
    with act(database, CLERK, moment=NOW) as doing:
        row = repository.get(doing.session, first.coverage_id)
        service.end(doing, row, patients.get(doing.session, patient), date(2026, 5, 31))
    second = add(database, patient, told(payer, starts=date(2026, 6, 1)))
    with database.begin() as unit:

        def holding(day: date) -> list[UUID]:
            known = repository.of_patient(unit.session, patient)
            return [each.coverage_id for each in known if each.rank == 1 and day in each.valid]

        assert holding(date(2026, 5, 31)) == [first.coverage_id]
        assert holding(date(2026, 6, 1)) == [second.coverage_id]


def test_somebody_else_s_coverage_names_them(payer: UUID) -> None:
    with pytest.raises(ValidationError, match="subscriber"):
        told(payer, relationship="child")


def test_a_card_is_kept_sealed_and_only_if_it_is_an_image(
    database: Database, patient: UUID, payer: UUID, keyring: Keyring
) -> None:
    row = add(database, patient, told(payer))

    def keep(image: bytes) -> None:
        with act(database, CLERK, moment=NOW) as doing:
            coverage = repository.get(doing.session, row.coverage_id)
            service.keep_card(doing, coverage, patients.get(doing.session, patient), "front", image, keyring)

    keep(JPEG)
    with pytest.raises(UnreadableError):
        keep(b"<svg onload=alert(1)>")
    with pytest.raises(TooLargeError):
        keep(JPEG + bytes(service.LARGEST_CARD))
    with database.begin() as unit:
        kept = unit.driver.execute("SELECT image FROM coverage_card").fetchall()
        assert JPEG not in kept[0][0]
        assert [keyring.unseal(bytes(image)) for (image,) in kept] == [JPEG]


def answer_active(question: Question) -> Answer:
    return Answer("active", b"270", b"271", plan_name="Gold", copay_cents=2500)


def book(database: Database, clinic: Clinic, patient: UUID) -> Appointment:
    with act(database, CLERK, moment=NOW) as doing:
        made = schedule.book(doing, clinic.told(wall(10, 9), patient_id=patient))
        eligibility.queue_for_appointment(doing, made)
        eligibility.queue_for_appointment(doing, made)
        return made


def at(database: Database, moment: datetime) -> Begin:
    return lambda: act(database, CLERK, moment=moment)


def checks(database: Database, patient: UUID) -> list[EligibilityCheck]:
    with database.begin() as unit:
        return repository.latest_checks(unit.session, patient)


def test_a_payer_is_asked_about_the_day_of_the_visit(
    database: Database, clinic: Clinic, patient: UUID, payer: UUID, keyring: Keyring
) -> None:
    add(database, patient, told(payer))
    book(database, clinic, patient)
    asked: list[Question] = []

    def ask(question: Question) -> Answer:
        asked.append(question)
        return answer_active(question)

    assert eligibility.ask_queued(at(database, NOW), ask, keyring) == 1
    assert eligibility.ask_queued(at(database, NOW), ask, keyring) == 0
    assert [(each.requested_for, each.payer_number, each.member_id) for each in asked] == [
        (date(2026, 3, 10), "PRMUT1", "M123")
    ]
    [check] = checks(database, patient)
    assert (check.state, check.copay_cents, keyring.unseal(check.answer or b"")) == ("active", 2500, b"271")
    with database.begin() as unit:
        found = read(unit.driver, "CoverageEligibilityResponse", check.check_id)
        assert found is not None
        assert load_object(found.body)["insurance"][0]["inforce"] is True


def test_while_a_payer_thinks_nothing_is_locked_and_what_came_first_stands(
    database: Database, clinic: Clinic, patient: UUID, payer: UUID, keyring: Keyring
) -> None:
    add(database, patient, told(payer))
    book(database, clinic, patient)

    def think_long(question: Question) -> Answer:
        with database.begin() as unit:
            unit.driver.execute("SELECT FROM eligibility_check, patient FOR UPDATE NOWAIT")
            unit.driver.execute("UPDATE eligibility_check SET state = 'inactive', answered_at = %s", (NOW,))
        return answer_active(question)

    eligibility.ask_queued(at(database, NOW), think_long, keyring)
    assert [check.state for check in checks(database, patient)] == ["inactive"]


def test_it_is_asked_again_three_days_before(
    database: Database, clinic: Clinic, patient: UUID, payer: UUID, keyring: Keyring
) -> None:
    add(database, patient, told(payer))
    made = book(database, clinic, patient)
    eligibility.ask_queued(at(database, NOW), answer_active, keyring)
    with act(database, CLERK, moment=NOW + timedelta(days=5)) as doing:
        assert eligibility.queue_again(doing, made.local_start.date() - eligibility.AHEAD) == 1
    assert [check.state for check in checks(database, patient)] == ["queued"]


def test_a_payer_that_cannot_be_reached_is_tried_a_few_times_then_shown_as_not_known(
    database: Database, clinic: Clinic, patient: UUID, payer: UUID, keyring: Keyring
) -> None:
    add(database, patient, told(payer))
    book(database, clinic, patient)

    def fail(_: Question) -> Answer:
        raise OSError("connection refused")

    for times in range(4):
        for patience in (times, times + 0.5):  # asked when it is due, and not again soon
            moment = NOW + patience * repository.PATIENCE
            assert eligibility.ask_queued(at(database, moment), fail, keyring) == 0
            assert [check.attempts for check in checks(database, patient)] == [times + 1]
    [check] = checks(database, patient)
    assert (check.state, check.reason) == ("failed", "OSError")
