"""Asking payers whether a coverage holds: for the day of the appointment, at booking and three days before.

What asks is a port: a clearinghouse in production, the local payer simulator out of the box. Asking happens in the
background and may fail; nothing waits for it, and what is not known is shown as not known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal, TypeAlias
from uuid import UUID

from sqlalchemy import select

from ehr_pm.acts import Act
from ehr_pm.coverage import fhir, repository
from ehr_pm.coverage.models import Coverage, EligibilityCheck
from ehr_pm.organisation.models import Location
from ehr_pm.patients.models import Patient
from ehr_pm.scheduling.models import Appointment
from ehr_pm.scheduling.states import BLOCKING
from hub_core.errors import ConflictError
from hub_core.fhir.ids import new_id
from hub_core.keyring import Keyring

AHEAD = timedelta(days=3)
"""How long before an appointment its coverages are asked about again."""
_ATTEMPTS = 4


@dataclass(frozen=True, slots=True)
class Question:
    """What a payer is asked (the content of a 270)."""

    control_number: str
    payer_number: str
    member_id: str
    family: str
    given: str
    birth_date: date
    relationship: str
    subscriber_family: str | None
    subscriber_given: str | None
    requested_for: date


@dataclass(frozen=True, slots=True)
class Answer:
    """What a payer says (the content of a 271), and the bytes in which it was asked and said."""

    state: Literal["active", "inactive", "unknown"]
    request: bytes
    answer: bytes
    plan_name: str | None = None
    copay_cents: int | None = None
    deductible_remaining_cents: int | None = None
    reason: str | None = None


Ask: TypeAlias = Callable[[Question], Answer]
"""The port: asks one payer, and raises what goes wrong on the way."""
Begin: TypeAlias = Callable[[], AbstractContextManager[Act]]
"""Begins an act, which commits when it is left."""


def queue_for_appointment(doing: Act, appointment: Appointment) -> None:
    """Queue a question for every coverage that holds on the day of an appointment; asked again, nothing is added."""
    doing.at_commit(repository.QUEUE, _about(doing, appointment))


def queue_now(doing: Act, coverage: Coverage, day: date) -> EligibilityCheck:
    """Queue a question about a coverage on a day that somebody asks for, again if it was answered before.

    Raises:
        ConflictError: if its payer does not answer such questions.
    """
    if not coverage.payer.answers_eligibility:
        raise ConflictError("this payer does not answer eligibility questions")
    known = select(EligibilityCheck).where(
        EligibilityCheck.coverage_id == coverage.coverage_id,
        EligibilityCheck.appointment_id.is_(None),
        EligibilityCheck.requested_for == day,
    )
    row = doing.session.scalars(known.with_for_update(of=EligibilityCheck)).first()
    if row is None:
        row = EligibilityCheck(
            patient_id=coverage.patient_id,
            coverage_id=coverage.coverage_id,
            requested_for=day,
            state="queued",
            control_number=new_id().hex[:20].upper(),
            asked_at=doing.moment,
        )
        doing.add(row)
    else:
        row.state, row.attempts, row.asked_at = "queued", 0, doing.moment
        doing.flush()
    doing.noted(
        "eligibility.ask", resource_type="Coverage", resource_id=str(coverage.coverage_id), patient_id=row.patient_id
    )
    return row


def queue_again(doing: Act, today: date) -> int:
    """Queue questions for appointments three days ahead, whose answers may be old; return how many."""
    day = today + AHEAD
    query = select(Appointment).where(
        Appointment.local_start >= datetime.combine(day, datetime.min.time()),
        Appointment.local_start < datetime.combine(day + timedelta(days=1), datetime.min.time()),
        Appointment.status.in_(BLOCKING - {"hold"}),
    )
    again = 0
    for appointment in doing.session.scalars(query):
        checks = select(EligibilityCheck).where(EligibilityCheck.appointment_id == appointment.appointment_id)
        for check in doing.session.scalars(checks):
            if check.state != "queued" and doing.moment - check.asked_at > AHEAD:
                check.state, check.attempts, check.asked_at = "queued", 0, doing.moment
                again += 1
        again += doing.driver.execute(repository.QUEUE, _about(doing, appointment)).rowcount
    doing.flush()
    return again


def ask_queued(begin: Begin, ask: Ask, keyring: Keyring, *, limit: int = 50) -> int:
    """Ask what is queued and keep the answers; return how many came. One that fails is tried again, a few times.

    Nothing is locked while a payer thinks: the questions are taken in one act, each answer is kept in one of its own.
    """
    with begin() as doing:
        questions = list(_take(doing, limit))
    answered = 0
    for check_id, question in questions:
        try:
            answer = ask(question)
        except Exception as error:  # boundary: one payer that cannot be reached must not keep the others waiting
            with begin() as doing:
                _keep_failure(doing, check_id, type(error).__name__)
            continue
        with begin() as doing:
            _keep(doing, check_id, answer, keyring)
        answered += 1
    return answered


def _take(doing: Act, limit: int) -> Iterator[tuple[UUID, Question]]:
    """Take the questions that are to be asked now: each is left in peace by others for as long as after a failure."""
    for check in repository.queued(doing.session, doing.moment, limit):
        check.attempts += 1
        yield check.check_id, _question(doing, check)
    doing.flush()


def _about(doing: Act, appointment: Appointment) -> tuple[UUID, UUID, date, datetime]:
    return appointment.patient_id, appointment.appointment_id, appointment.local_start.date(), doing.moment


def _question(doing: Act, check: EligibilityCheck) -> Question:
    patient, coverage = doing.session.get_one(Patient, check.patient_id), check.coverage
    return Question(
        control_number=check.control_number,
        payer_number=coverage.payer.number,
        member_id=coverage.member_id,
        family=patient.family,
        given=patient.given,
        birth_date=patient.birth_date,
        relationship=coverage.relationship_,
        subscriber_family=coverage.subscriber_family,
        subscriber_given=coverage.subscriber_given,
        requested_for=check.requested_for,
    )


def _keep(doing: Act, check_id: UUID, answer: Answer, keyring: Keyring) -> None:
    if (check := repository.still_queued(doing.session, check_id)) is None:
        return  # answered meanwhile
    check.state, check.answered_at, check.reason = answer.state, doing.moment, answer.reason
    check.plan_name, check.copay_cents = answer.plan_name, answer.copay_cents
    check.deductible_remaining_cents = answer.deductible_remaining_cents
    check.request, check.answer = keyring.seal(answer.request), keyring.seal(answer.answer)
    _say(doing, check)


def _keep_failure(doing: Act, check_id: UUID, reason: str) -> None:
    check = repository.still_queued(doing.session, check_id)
    if check is not None and check.attempts >= _ATTEMPTS:
        check.state, check.answered_at, check.reason = "failed", doing.moment, reason
        _say(doing, check)


def _say(doing: Act, check: EligibilityCheck) -> None:
    patient = doing.session.get_one(Patient, check.patient_id)
    location = doing.session.get_one(Location, patient.home_location_id).key
    doing.done("eligibility.answer", fhir.answer(check), patient_id=check.patient_id, location=location)
