"""SIU: appointments as they are booked, moved, cancelled, missed and kept."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from pipelines.simulation.feeds import SimulatedFeed
from pipelines.simulation.group import VISIT_TYPES
from pipelines.simulation.hl7v2.people import People
from pipelines.simulation.hl7v2.writing import Draft, Stamp, clinician, escaped
from pipelines.simulation.spans import minutes, seconds
from pipelines.simulation.world import Booking, BookingChange, Chapter

_EVENTS = {"booked": "S12", "rescheduled": "S13", "cancelled": "S15", "noshow": "S26", "fulfilled": "S14"}
_STATUSES = {
    "booked": "Booked", "rescheduled": "Booked", "cancelled": "Cancelled", "noshow": "Noshow", "fulfilled": "Complete",
}  # fmt: skip
"""SCH-25 (table 0278)."""
_REASONS = {
    "booked": "NEW^New appointment",
    "rescheduled": "MOVED^Moved at the patient's wish",
    "cancelled": "PT^Patient cannot come",
    "noshow": "NOSHOW^Patient did not come",
    "fulfilled": "DONE^Patient was seen",
}
"""SCH-6: why the message is sent."""
_SERVICES = {key: f"{key}^{escaped(kind.name)}^99RIV" for key, kind in VISIT_TYPES.items()}


class Scheduling:
    """The SIU messages of one site in one chapter."""

    def __init__(self, chapter: Chapter, people: People, feed: SimulatedFeed, stamp: Stamp, random: Random) -> None:
        """Write the bookings of the site of `feed`."""
        self._bookings = [each for each in chapter.bookings if each.site == feed.site]
        self._people = people
        self._stamp = stamp
        self._random = random
        self._facility = feed.practice.facility

    def drafts(self) -> Iterator[Draft]:
        """Yield the messages, one a change."""
        for booking in self._bookings:
            for change in booking.changes:
                sent_at = change.at + seconds(int(self._random.random() * 8) + 1)
                event = _EVENTS[change.status]
                yield Draft(sent_at, f"SIU^{event}^SIU_S12", booking.booking_id, self._segments(booking, change))

    def _segments(self, booking: Booking, change: BookingChange) -> str:
        facility, length = self._facility, booking.minutes
        starts, ends = self._stamp(change.starts_at), self._stamp(change.starts_at + minutes(length))
        number, service = f"{booking.booking_id}^{facility}", _SERVICES[booking.visit_type]
        who = clinician(booking.clinician)
        return (
            f"SCH|{number}|{number}||||{_REASONS[change.status]}^99RIV|{service}|ROUTINE^Routine^99RIV|{length}|"
            f"MIN^minutes^ISO+|^^M{length}^{starts}^{ends}|||||{who}||||{who}|||||{_STATUSES[change.status]}\r"
            f"{self._people.pid(booking.registration_id, change.at)}"
            f"RGS|1\rAIS|1||{service}|{starts}|||{length}|MIN^minutes^ISO+\r"
            f"AIL|1||EXAM^^^{facility}\r"
            f"AIP|1||{who}|ATND^Attending^HL70443||{starts}|||{length}|MIN^minutes^ISO+\r"
        )
