"""Finding coverages and what payers answered about them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ehr_pm.coverage.models import Coverage, CoverageCard, EligibilityCheck
from hub_core.errors import NotFoundError

PATIENCE = timedelta(minutes=10)
"""How long a payer that could not be reached is left in peace, after each time."""

QUEUE: Final = """
INSERT INTO eligibility_check
    (check_id, patient_id, coverage_id, appointment_id, requested_for, state, control_number, asked_at)
SELECT uuidv7(), patient_id, coverage_id, asked.appointment_id, asked.day, 'queued',
    upper(left(replace(gen_random_uuid()::text, '-', ''), 20)), asked.moment
FROM (VALUES (%s::uuid, %s::uuid, %s::date, %s::timestamptz)) AS asked (patient_id, appointment_id, day, moment)
    JOIN coverage USING (patient_id) JOIN payer USING (payer_id)
WHERE coverage.is_active AND valid @> asked.day AND payer.answers_eligibility
ON CONFLICT (coverage_id, appointment_id, requested_for) DO NOTHING
"""
"""Queues a question for every coverage of a patient that holds on a day and whose payer can be asked, but once."""


def get(session: Session, coverage_id: UUID) -> Coverage:
    """Return a coverage.

    Raises:
        NotFoundError: if there is none.
    """
    row = session.get(Coverage, coverage_id)
    if row is None:
        raise NotFoundError("there is no such coverage")
    return row


def cards(session: Session, coverages: Iterable[UUID]) -> dict[UUID, frozenset[str]]:
    """Return of which sides of their cards there are images, by coverage, in one statement."""
    query = select(CoverageCard.coverage_id, func.array_agg(CoverageCard.side.distinct()))
    found = session.execute(
        query.where(CoverageCard.coverage_id.in_(list(coverages))).group_by(CoverageCard.coverage_id)
    )
    return {coverage_id: frozenset(sides) for coverage_id, sides in found}


def card(session: Session, coverage_id: UUID, side: str) -> CoverageCard:
    """Return the last image of a side of a card.

    Raises:
        NotFoundError: if there is none.
    """
    query = select(CoverageCard).where(CoverageCard.coverage_id == coverage_id, CoverageCard.side == side)
    row = session.scalars(query.order_by(CoverageCard.scanned_at.desc()).limit(1)).first()
    if row is None:
        raise NotFoundError("there is no image of this side")
    return row


def of_patient(session: Session, patient_id: UUID) -> list[Coverage]:
    """Return a patient's coverages, the newest of each rank first."""
    query = select(Coverage).where(Coverage.patient_id == patient_id, Coverage.is_active)
    return sorted(session.scalars(query), key=lambda row: (row.rank, -_ordinal(row.valid.lower)))


def latest_checks(session: Session, patient_id: UUID, limit: int = 10) -> list[EligibilityCheck]:
    """Return what payers answered about a patient, the newest first."""
    query = select(EligibilityCheck).where(EligibilityCheck.patient_id == patient_id)
    return list(session.scalars(query.order_by(EligibilityCheck.asked_at.desc()).limit(limit)))


def queued(session: Session, moment: datetime, limit: int) -> list[EligibilityCheck]:
    """Return questions that are to be asked now, each locked, the oldest first; one that failed waits a while."""
    query = (
        select(EligibilityCheck)
        .where(
            EligibilityCheck.state == "queued",
            EligibilityCheck.asked_at + EligibilityCheck.attempts * PATIENCE <= moment,
        )
        .order_by(EligibilityCheck.asked_at)
        .limit(limit)
        .with_for_update(skip_locked=True, of=EligibilityCheck)
    )
    return list(session.scalars(query))


def still_queued(session: Session, check_id: UUID) -> EligibilityCheck | None:
    """Return a question, locked; None if it was answered already."""
    query = select(EligibilityCheck).where(EligibilityCheck.check_id == check_id, EligibilityCheck.state == "queued")
    return session.scalars(query.with_for_update(of=EligibilityCheck)).one_or_none()


def _ordinal(day: date | None) -> int:
    return 0 if day is None else day.toordinal()
