"""What somebody who leaves had in hand: whom they supervised, the time they could be booked for, what they half wrote.

Tasks of the house belong to a role at a location, never to a person (a chart opened in an emergency waits for any
privacy officer there), so nothing else is left without somebody who sees to it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import Range

from ehr_pm.scheduling.models import Appointment, Bookable, ResourceBooking, ScheduleException
from ehr_pm.users import fhir
from ehr_pm.users.models import Staff
from hub_core import drafts
from hub_core.database import driver_connection

if TYPE_CHECKING:
    from ehr_pm.acts import Act


_FOR_GOOD: Final = timedelta(days=3653)
"""For how long a calendar is closed: longer than anything is booked ahead."""


def hand_over(doing: Act, principal_id: UUID) -> None:
    """Give what somebody had in hand to who is left, and close their time to new visits; those booked stay seen."""
    drafts.drop_all(driver_connection(doing.session.connection()), principal_id)
    row = doing.session.get(Staff, principal_id)
    if row is None:
        return
    for supervised in doing.session.scalars(select(Staff).where(Staff.supervisor_id == principal_id)).all():
        doing.change(supervised, supervisor_id=row.supervisor_id)
        doing.done("staff.change", fhir.practitioner(supervised), subject=str(supervised.principal_id))
    for calendar in doing.session.scalars(select(Bookable).where(Bookable.subject_id == row.practitioner_id)).all():
        closed = Range(doing.moment, doing.moment + _FOR_GOOD)
        doing.add(ScheduleException(bookable_id=calendar.bookable_id, during=closed, is_open=False, reason="left"))
        left = str(_visits_left(doing, calendar))
        doing.noted("bookable.close", bookable_id=str(calendar.bookable_id), visits_left=left)


def _visits_left(doing: Act, calendar: Bookable) -> int:
    """Return how many visits to come need somebody else."""
    query = (
        select(func.count())
        .select_from(ResourceBooking)
        .join(Appointment, Appointment.appointment_id == ResourceBooking.appointment_id)
        .where(
            ResourceBooking.taken_id == calendar.bookable_id,
            Appointment.starts_at > doing.moment,
            Appointment.status.in_(("booked", "confirmed")),
        )
    )
    return doing.session.scalar(query) or 0
