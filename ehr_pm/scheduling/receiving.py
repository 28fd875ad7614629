"""Visits that another source schedules: rows that follow what it says, on the same calendars as our own.

What a source has booked is a fact, also where it has booked too much: such a visit takes a lane above what somebody or
something holds at once, as an override does, and is a finding. A visit that we book can never take the same lane.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import Range

from ehr_pm import findings
from ehr_pm.findings import Check, Finding
from ehr_pm.patients.models import Patient
from ehr_pm.scheduling import reading
from ehr_pm.scheduling.models import Appointment, AppointmentStatusEvent, Bookable, ResourceBooking, VisitType
from ehr_pm.scheduling.openings import Span, overlap
from ehr_pm.scheduling.states import BLOCKING
from ehr_pm.scheduling.walltime import to_local
from hub_core.database import driver_connection
from hub_core.fhir.systems import NPI
from hub_core.sensitivity import strictest

if TYPE_CHECKING:
    import psycopg

    from ehr_pm.acts import Act
    from ehr_pm.organisation.models import Location
    from ehr_pm.organisation.ownership import Mastered
    from ehr_pm.record.following import Said

TYPES: Final = ("Appointment",)
UNSORTED: Final = "received"
"""Key of the kind of visit for those whose kind is none of ours."""
_CHECKS: Final[tuple[Check, ...]] = ("unknown patient", "no time", "unknown location", "not received")
_LANES_OF_PATIENTS: Final = 30_000
_SAME_NUMBER = """
SELECT r.resource_id, s.practitioner_id FROM resource r
JOIN search_token t ON t.resource_key = r.resource_key AND t.param = 'identifier' AND t.system = %s
JOIN staff s ON s.npi = t.code
WHERE r.resource_type = 'Practitioner' AND r.resource_id = ANY(%s)
"""
_ABOVE_CAPACITY = """
SELECT t.appointment_id, t.taken_id, t.lane, b.lanes, a.received_from, l.key
FROM resource_booking t JOIN bookable b ON b.bookable_id = t.taken_id JOIN appointment a USING (appointment_id)
JOIN location l ON l.location_id = a.location_id
WHERE t.taken_id = ANY(%s) AND t.is_blocking AND t.lane > b.lanes AND a.received_from IS NOT NULL
ORDER BY lower(t.during), t.appointment_id
"""
_MOVE_DOWN = """
UPDATE resource_booking t SET lane = free.lane FROM (
    SELECT min(lane) AS lane FROM generate_series(1, %(below)s) lane WHERE NOT EXISTS (
        SELECT FROM resource_booking o JOIN resource_booking mine
            ON mine.appointment_id = %(visit)s AND mine.taken_id = o.taken_id
        WHERE o.taken_id = %(thing)s AND o.is_blocking AND o.lane = lane.lane AND o.during && mine.during)
) free
WHERE t.appointment_id = %(visit)s AND t.taken_id = %(thing)s AND free.lane IS NOT NULL RETURNING t.lane
"""
_VISITS_OF_PATIENTS = """
SELECT one.appointment_id, a.received_from, l.key, bool_or(other.appointment_id IS NOT NULL)
FROM resource_booking one JOIN appointment a USING (appointment_id) JOIN location l ON l.location_id = a.location_id
LEFT JOIN resource_booking other ON one.is_blocking AND other.is_blocking AND other.taken_id = one.taken_id
    AND other.during && one.during AND other.appointment_id <> one.appointment_id
WHERE one.taken_id = ANY(%s) AND a.received_from IS NOT NULL GROUP BY 1, 2, 3
"""


def patients_of(doing: Act, said: Sequence[Said]) -> set[UUID]:
    """Return whom Appointments are about, by what is said now and by the rows that are there."""
    ids = [each.resource_id for each in said]
    rows = doing.session.scalars(select(Appointment.patient_id).where(Appointment.appointment_id.in_(ids)))
    told = (reading.read(each.resource).patient_id for each in said)
    return {*rows, *(each for each in told if each is not None)}


def receive(doing: Act, said: Sequence[Said], places: Mastered, *, again: bool = False) -> None:
    """Bring rows of visits in step with what their master says.

    Args:
        doing: the act, in which the merges around the visits' patients are lifted.
        said: Appointments, each as the record holds it now.
        places: where other sources are masters.
        again: whether to look also at what was looked at before.
    """
    if said:
        reception = _Reception(doing, said, places, again=again)
        with doing.session.no_autoflush:  # all rows are written at once
            for each in said:
                reception.take(each)
        reception.close()


class _Reception:
    """One portion being received: what it needs to know is asked once for all of it."""

    def __init__(self, doing: Act, said: Sequence[Said], places: Mastered, *, again: bool) -> None:
        self._doing = doing
        self._places = places
        self._again = again
        self._heard = {each.resource_id: reading.read(each.resource) for each in said}
        self._parts: list[AppointmentStatusEvent | ResourceBooking] = []
        self._looked_at: list[UUID] = []
        self._touched: set[UUID] = set()
        self._people: set[UUID] = set()
        self._findings: list[Finding] = []
        self._known: set[tuple[str, UUID]] = set()
        self._unknown: set[tuple[str, UUID]] = set()
        ids = list(self._heard)
        rows = doing.session.scalars(
            select(Appointment).where(Appointment.appointment_id.in_(ids)).with_for_update(of=Appointment)
        )
        self._rows = {row.appointment_id: row for row in rows}
        told = {heard.patient_id for heard in self._heard.values()}
        self._patients = set(doing.session.scalars(select(Patient.patient_id).where(Patient.patient_id.in_(told))))
        self._bookings = {row.appointment_id: list(row.bookings) for row in self._rows.values()}
        self._steps = _steps(doing, ids)
        self._kinds = _kinds(doing)
        self._things = _things(doing, places)
        self._aliases = _aliases(doing, self._heard.values())
        self._taken = _taken(doing, self._things, self._heard.values())

    def take(self, said: Said) -> None:
        """Make or change the row of a visit, or find out why there is none."""
        row, heard = self._rows.get(said.resource_id), self._heard[said.resource_id]
        place = self._places.of_schedule(said.source, said.location)
        if row is not None and (row.received_from != said.source or self._is_seen(row, said)):
            return
        if place is None and row is None:
            return
        self._looked_at.append(said.resource_id)
        if heard.starts_at is None or said.deleted:
            self._without_time(row, heard, said)
        elif heard.patient_id not in self._patients:
            self._find("unknown patient", said)
        else:
            self._keep(row, heard, said, row.location if place is None and row is not None else place)

    def close(self) -> None:
        """Keep what was found, and settle what is no longer so."""
        self._doing.flush()  # visits before what belongs to them
        self._doing.session.add_all(self._parts)
        self._doing.flush()
        connection, moment = driver_connection(self._doing.session.connection()), self._doing.moment
        seen = [("Appointment", each) for each in self._looked_at]
        findings.settle(connection, moment, _CHECKS, seen)
        findings.settle(connection, moment, ["unknown clinician or room"], self._known)
        findings.note(connection, self._findings)
        self._judge_times(connection)
        self._judge_lanes(connection)

    def _judge_times(self, connection: psycopg.Connection[Any]) -> None:
        """Find which visits of the patients touched are at the time of another of theirs."""
        rows = connection.execute(_VISITS_OF_PATIENTS, (list(self._people),)).fetchall()
        twice = {visit: (source, key) for visit, source, key, is_twice in rows if is_twice}
        self._judge(connection, "patient in two places", [visit for visit, *_ in rows], twice)

    def _judge_lanes(self, connection: psycopg.Connection[Any]) -> None:
        """Find which visits take more than there is of what was touched; one that has room by now takes it."""
        rows = connection.execute(_ABOVE_CAPACITY, (list(self._touched),)).fetchall()
        above: dict[UUID, tuple[str, str]] = {}
        for visit, thing, lane, lanes, source, key in rows:
            down = connection.execute(_MOVE_DOWN, {"below": lane - 1, "visit": visit, "thing": thing}).fetchone()
            if (lane if down is None else down[0]) > lanes:
                above[visit] = (source, key)
        self._judge(connection, "overbooked", {*self._looked_at, *(visit for visit, *_ in rows)}, above)

    def _judge(
        self,
        connection: psycopg.Connection[Any],
        check: Check,
        visits: Iterable[UUID],
        found: dict[UUID, tuple[str, str]],
    ) -> None:
        """Keep what was found of these visits, and settle it where it is no longer so."""
        moment = self._doing.moment
        gone = [("Appointment", each) for each in visits if each not in found]
        findings.settle(connection, moment, [check], gone)
        findings.note(connection, [Finding(check, "Appointment", each, *of, moment) for each, of in found.items()])

    def _is_seen(self, row: Appointment, said: Said) -> bool:
        return not self._again and row.received_version is not None and row.received_version >= said.version

    def _without_time(self, row: Appointment | None, heard: reading.Heard, said: Said) -> None:
        """Cancel a visit that has no time any more; of one that never had, say so unless it was given up."""
        if row is not None and (said.deleted or not heard.is_blocking):
            self._set(row, "cancelled", heard.reason, said)
            self._occupy(row, [], (row.starts_at, row.ends_at))
        elif heard.is_blocking and not said.deleted:
            self._find("no time", said)

    def _keep(self, row: Appointment | None, heard: reading.Heard, said: Said, place: Location | None) -> None:
        assert place is not None  # noqa: S101 - asked before
        assert heard.starts_at is not None  # noqa: S101
        assert heard.patient_id is not None  # noqa: S101
        kind = self._kind(heard, said)
        ends_at = heard.ends_at or heard.starts_at + timedelta(minutes=kind.minutes)
        is_moved = row is not None and row.starts_at != heard.starts_at
        here = None if row is None else row.status
        status = reading.status_here(heard, here, is_moved=is_moved, flow_is_ours=place.flow_is_ours)
        if row is None:
            row = Appointment(appointment_id=said.resource_id, received_from=said.source, created_at=self._doing.moment)
            row.status = ""
            self._rows[said.resource_id] = row
            self._bookings[said.resource_id] = []
        row.patient_id, row.location, row.visit_type = heard.patient_id, place, kind
        row.starts_at, row.ends_at = heard.starts_at, ends_at
        row.local_start = to_local(heard.starts_at, ZoneInfo(place.zone))
        self._set(row, status, heard.reason if status == "cancelled" else None, said)
        self._occupy(row, self._bookables(heard, said, place), (row.starts_at, row.ends_at))

    def _set(self, row: Appointment, status: str, reason: str | None, said: Said) -> None:
        """Give a row its status, and put on record that it was received."""
        doing, is_step = self._doing, row.status != status
        row.status, row.status_reason = status, reason
        row.received_version, row.changed_at, row.changed_by = said.version, doing.moment, None
        doing.session.add(row)
        if is_step:
            self._steps[row.appointment_id] += 1
            step = {"number": self._steps[row.appointment_id], "status": status, "reason": reason}
            event = AppointmentStatusEvent(appointment_id=row.appointment_id, recorded_at=doing.moment, **step)
            self._parts.append(event)
        doing.noted(
            "appointment.receive",
            resource_type="Appointment",
            resource_id=str(row.appointment_id),
            patient_id=row.patient_id,
            location=row.location.key,
            source=said.source,
            version=str(said.version),
        )

    def _bookables(self, heard: reading.Heard, said: Said, place: Location) -> list[Bookable]:
        """Return what a visit takes of the location's; what is not known there is a finding, once for all visits."""
        found: dict[UUID, Bookable] = {}
        for actor in heard.actors:
            names = {actor[1], self._aliases.get(actor[1], actor[1])}
            thing = next((each for name in names if (each := self._things.get((place.location_id, name)))), None)
            if thing is not None:
                found[thing.bookable_id] = thing
                self._known.add(actor)
            elif actor not in self._unknown:
                self._unknown.add(actor)
                moment = self._doing.moment
                self._findings.append(Finding("unknown clinician or room", *actor, said.source, place.key, moment))
        return list(found.values())

    def _occupy(self, row: Appointment, taken: Sequence[Bookable], during: Span) -> None:
        """Take the time of a visit, as far as it takes any; where there is no lane left, one above what there are."""
        doing, key = self._doing, row.appointment_id
        self._touched |= {each.bookable_id for each in taken}
        self._people.add(row.patient_id)
        standing = self._bookings.pop(key, [])
        for old in standing:
            self._touched.add(old.taken_id)
            doing.session.delete(old)
        if standing:
            doing.flush()
        for lanes in self._taken.values():
            lanes[:] = [other for other in lanes if other[0] != key]
        is_blocking = row.status in BLOCKING
        for each in taken:
            lane = self._lane(each.bookable_id, during) if is_blocking else 1
            if is_blocking:
                self._taken[each.bookable_id].append((key, lane, during))
            self._parts.append(_booking(key, each.bookable_id, each.kind, lane, during, is_blocking=is_blocking))
        # Somebody's own time: a lane by the visit's id, so that what a source says of one patient excludes nothing.
        lane = 2 + key.int % _LANES_OF_PATIENTS
        self._parts.append(_booking(key, row.patient_id, "patient", lane, during, is_blocking=is_blocking))

    def _lane(self, bookable_id: UUID, during: Span) -> int:
        busy = {lane for _, lane, span in self._taken[bookable_id] if overlap(span, during)}
        lane = 1
        while lane in busy:
            lane += 1
        return lane

    def _kind(self, heard: reading.Heard, said: Said) -> VisitType:
        """Return the kind of a visit: ours of the same key or name, if it is kept as close as the visit must be."""
        found = next((self._kinds[each] for each in heard.kinds if each in self._kinds), None)
        if found is None or strictest(found.sensitivity, said.sensitivity) != found.sensitivity:
            return self._unsorted(said.sensitivity)
        return found

    def _unsorted(self, sensitivity: str | None) -> VisitType:
        """Return the kind of visit for those whose kind is none of ours, made when it is needed first."""
        key = UNSORTED if sensitivity is None else f"{UNSORTED}-{sensitivity}"
        if key not in self._kinds:
            row = VisitType(key=key, name="Visit", minutes=30, sensitivity=sensitivity)
            self._doing.add(row)
            self._doing.noted("visit_type.add", visit_type=key)
            self._kinds[key] = row
        return self._kinds[key]

    def _find(self, check: Check, said: Said) -> None:
        moment = self._doing.moment
        self._findings.append(Finding(check, "Appointment", said.resource_id, said.source, said.location, moment))


def _steps(doing: Act, ids: Sequence[UUID]) -> Counter[UUID]:
    """Return how many steps these visits have taken."""
    query = select(AppointmentStatusEvent.appointment_id, func.count()).group_by(AppointmentStatusEvent.appointment_id)
    steps: Counter[UUID] = Counter()
    for key, number in doing.session.execute(query.where(AppointmentStatusEvent.appointment_id.in_(ids))):
        steps[key] = number
    return steps


def _kinds(doing: Act) -> dict[str, VisitType]:
    """Return the kinds of visits by their keys and names."""
    rows = list(doing.session.scalars(select(VisitType).order_by(VisitType.key)))
    named = {reading.folded(row.name): row for row in rows if not row.key.startswith(UNSORTED)}
    return named | {row.key: row for row in rows}


def _things(doing: Act, places: Mastered) -> dict[tuple[UUID, UUID], Bookable]:
    """Return what can be booked at the places, by place and what it stands for."""
    ids = [each.location_id for each in places.locations]
    rows = doing.session.scalars(select(Bookable).where(Bookable.location_id.in_(ids), Bookable.is_active))
    return {(row.location_id, row.subject_id): row for row in rows}


def _aliases(doing: Act, heard: Iterable[reading.Heard]) -> dict[UUID, UUID]:
    """Return which Practitioner of ours a source means by one of its own: who has the same NPI."""
    named = {key for each in heard for kind, key in each.actors if kind == "Practitioner"}
    connection = driver_connection(doing.session.connection())
    return dict(connection.execute(_SAME_NUMBER, (NPI, list(named))).fetchall())


def _taken(
    doing: Act, things: dict[tuple[UUID, UUID], Bookable], heard: Iterable[reading.Heard]
) -> dict[UUID, list[tuple[UUID, int, Span]]]:
    """Return which visits take which lanes of these things, from the first of what was heard to the last."""
    lanes: dict[UUID, list[tuple[UUID, int, Span]]] = defaultdict(list)
    times = [each.starts_at for each in heard if each.starts_at is not None]
    if not times:
        return lanes
    window: Range[datetime] = Range(min(times), max(times) + timedelta(days=3))
    query = select(ResourceBooking).where(
        ResourceBooking.taken_id.in_([each.bookable_id for each in things.values()]),
        ResourceBooking.is_blocking,
        ResourceBooking.during.op("&&")(window),
    )
    for each in doing.session.scalars(query):
        assert each.during.lower is not None  # noqa: S101 - the columns hold bounded ranges only
        assert each.during.upper is not None  # noqa: S101
        lanes[each.taken_id].append((each.appointment_id, each.lane, (each.during.lower, each.during.upper)))
    return lanes


def _booking(key: UUID, taken_id: UUID, kind: str, lane: int, during: Span, **more: Any) -> ResourceBooking:
    return ResourceBooking(appointment_id=key, taken_id=taken_id, kind=kind, lane=lane, during=Range(*during), **more)
