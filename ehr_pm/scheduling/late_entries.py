"""Late entries: a step of a visit that is written down afterwards says when it happened, and why it comes so late.

When something was recorded is never told by anybody; when it happened is (ADR 0008).
"""

from __future__ import annotations

from pydantic import AwareDatetime, BaseModel, ConfigDict
from sqlalchemy import select

from ehr_pm.acts import Act
from ehr_pm.scheduling.models import Appointment, AppointmentStatusEvent
from ehr_pm.scheduling.schemas import Reason
from hub_core.clock import instant
from hub_core.errors import ConflictError


class LateEntry(BaseModel):
    """When a step happened that is entered now, and why so late."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    happened_at: AwareDatetime
    reason: Reason


def date_back(doing: Act, visit: Appointment, told: LateEntry) -> None:
    """Note when the step happened that a visit has just taken.

    Raises:
        ConflictError: if that is still to come, or lies before the step that went ahead of it.
    """
    query = select(AppointmentStatusEvent).where(AppointmentStatusEvent.appointment_id == visit.appointment_id)
    *earlier, step = doing.session.scalars(query.order_by(AppointmentStatusEvent.number))
    if told.happened_at > doing.moment:
        raise ConflictError("nothing is entered before it has happened")
    if step.status == "noshow" and told.happened_at < visit.starts_at:
        raise ConflictError("nobody is late for an appointment that has not begun")
    if any(each.happened_at is not None and told.happened_at < each.happened_at for each in earlier):
        raise ConflictError("this happened after the step before it; look at the times")
    doing.change(step, happened_at=told.happened_at, reason=told.reason)
    doing.noted(
        "appointment.late_entry",
        resource_type="Appointment",
        resource_id=str(visit.appointment_id),
        patient_id=visit.patient_id,
        location=visit.location.key,
        step=step.status,
        happened_at=instant(told.happened_at),
    )
