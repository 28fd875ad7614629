"""What people at northgate try that must be refused: times taken, closed or not there, and what is not theirs to do."""

from __future__ import annotations

from datetime import datetime, timedelta

from pipelines.simulation.northgate.desk import Desk
from pipelines.simulation.northgate.facts import Booking, Record
from pipelines.simulation.northgate.place import CLOSED_ON, DESK, STRANGER

_SPRING_FORWARD = datetime(2027, 3, 14, 2, 30)  # noqa: DTZ001 - no clock on a wall ever shows it
"""The clocks go from two to three that night."""
_MINUTE = timedelta(minutes=1)


def try_what_is_taken(desk: Desk, at: datetime, booking: Booking, other: Record) -> None:
    """Try to give somebody a time that another patient has."""
    _book(desk, at, other, booking.starts, "taken")


def try_all_else(desk: Desk, at: datetime, booking: Booking, record: Record) -> None:
    """Try, for a visit that is booked, everything else that must be refused."""
    holiday = datetime.combine(CLOSED_ON, datetime.min.time()) + timedelta(hours=9)
    _book(desk, at, record, holiday, "closed")
    _book(desk, at + _MINUTE, record, _SPRING_FORWARD, "no such time")
    _book(desk, at + 2 * _MINUTE, record, holiday, "not theirs to override", override="the patient insists")
    told = {"booking": booking.booking_id}
    desk.intend(at + 3 * _MINUTE, DESK, "check-out", told, "out of order")
    desk.intend(at + 4 * _MINUTE, STRANGER, "confirm", told, "stranger")


def _book(desk: Desk, at: datetime, record: Record, starts: datetime, refused: str, **more: str) -> None:
    told = {
        "record": record.record_id,
        "booking": f"{desk.clinician[:1].upper()}X{len(desk.month.intentions) + 1:05d}",
        "visit_type": "follow-up",
        "clinician": desk.clinician,
        "starts": starts.isoformat(timespec="minutes"),
    }
    desk.intend(at, DESK, "book", told | more, refused)
