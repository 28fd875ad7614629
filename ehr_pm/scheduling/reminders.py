"""Reminders: queued when an appointment is booked, taken back when it is not to be, sent through a port when due."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeAlias
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from ehr_pm.acts import Act
from ehr_pm.rows import get
from ehr_pm.scheduling.models import Appointment, Reminder
from hub_core.errors import ConflictError

LEADS = (timedelta(days=3), timedelta(days=1))
"""How long before an appointment its patient is reminded."""
_ATTEMPTS = 5

Send: TypeAlias = Callable[[Appointment], None]
"""The port: hands one reminder to whatever carries it, and raises what goes wrong."""


def due(starts_at: datetime, moment: datetime) -> list[datetime]:
    """Return when somebody is reminded of what starts then, as far as that is not past."""
    return [starts_at - lead for lead in LEADS if starts_at - lead > moment]


def queue(doing: Act, appointment: Appointment) -> None:
    """Queue the reminders of an appointment that are not too late."""
    for moment in due(appointment.starts_at, doing.moment):
        doing.session.add(Reminder(appointment_id=appointment.appointment_id, due_at=moment))
    doing.flush()


def cancel(doing: Act, appointment: Appointment) -> None:
    """Take back the reminders that have not been sent."""
    doing.session.execute(
        update(Reminder)
        .where(Reminder.appointment_id == appointment.appointment_id, Reminder.state == "queued")
        .values(state="cancelled")
    )


def try_again(doing: Act, reminder_id: UUID) -> Reminder:
    """Queue a reminder again that could not be sent, as when the patient has said by now how they may be reached.

    Raises:
        NotFoundError: if there is none.
        ConflictError: if it did not fail, or its appointment is past.
    """
    row = get(doing.session, Reminder, reminder_id, "reminder")
    appointment = get(doing.session, Appointment, row.appointment_id, "appointment")
    if row.state != "failed" or appointment.starts_at <= doing.moment:
        raise ConflictError("only a reminder that failed, of a visit to come, is tried again")
    row.state, row.attempts = "queued", 0
    doing.flush()
    doing.noted(
        "reminder.try_again",
        resource_type="Appointment",
        resource_id=str(row.appointment_id),
        patient_id=appointment.patient_id,
        location=appointment.location.key,
    )
    return row


def send_due(doing: Act, send: Send, *, limit: int = 100) -> int:
    """Send what is due and return how many went out; one that cannot be sent is tried again, a few times."""
    sent = 0
    for reminder, appointment in _due(doing.session, doing, limit):
        reminder.attempts += 1
        try:
            send(appointment)
        except Exception:  # boundary: one recipient must not keep the others waiting
            if reminder.attempts >= _ATTEMPTS:
                reminder.state = "failed"
            continue
        reminder.state, reminder.sent_at = "sent", doing.moment
        sent += 1
        doing.noted(
            "reminder.send",
            resource_type="Appointment",
            resource_id=str(appointment.appointment_id),
            patient_id=appointment.patient_id,
            location=appointment.location.key,
        )
    doing.flush()
    return sent


def _due(session: Session, doing: Act, limit: int) -> list[tuple[Reminder, Appointment]]:
    query = (
        select(Reminder, Appointment)
        .join(Appointment, Appointment.appointment_id == Reminder.appointment_id)
        .where(Reminder.state == "queued", Reminder.due_at <= doing.moment)
        .order_by(Reminder.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True, of=Reminder)
    )
    return [(reminder, appointment) for reminder, appointment in session.execute(query)]
