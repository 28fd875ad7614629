"""SIU: SCH with its AIS, AIP, AIL and AIG to Appointment."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from connectors.connector import Authority
from connectors.hl7v2.admission import required_pid
from connectors.hl7v2.concepts import concept
from connectors.hl7v2.conversion import Conversion, said
from connectors.hl7v2.datatypes import entity
from connectors.hl7v2.observation import comments
from connectors.hl7v2.parties import location, practitioner
from connectors.hl7v2.patient import add_patient
from connectors.hl7v2.tables import APPOINTMENT_EVENT_STATUS, APPOINTMENT_STATUS
from connectors.hl7v2.tokenizer import Segment
from hub_core.errors import UnreadableError
from hub_core.fhir.canonical import Json

_START_FIELDS: Final = {"AIS": 4, "AIP": 6, "AIL": 6, "AIG": 8}
_DURATION_FIELDS: Final = {"AIS": 7, "AIP": 9, "AIL": 9, "AIG": 11}
"""Start and duration in the resource segments, the units in the field after the duration."""
_MINUTES: Final = {"": 1, "M": 1, "MIN": 1, "MINUTE": 1, "MINUTES": 1, "H": 60, "HR": 60, "HOUR": 60, "HOURS": 60}
_WITHOUT_TIME: Final = frozenset({"proposed", "cancelled", "waitlist", "entered-in-error", "noshow"})
_CANCELLED: Final = frozenset({"cancelled", "noshow"})


def map_schedule(conversion: Conversion) -> None:
    """State what an SIU message says of an appointment.

    Raises:
        UnreadableError: if it names no patient, or the appointment has no number.
    """
    message = conversion.message
    sch = message.first("SCH")
    if sch is None:
        raise UnreadableError("there is no SCH segment: no appointment", location="SCH", code="required")
    _, patient = add_patient(required_pid(conversion), conversion, Authority.MENTION, message.first("PD1"))
    number = next((sch[field] for field in (2, 1, 26, 27) if sch.text(field)), None)
    if number is None:
        raise UnreadableError("the appointment has neither placer nor filler id", location="SCH-1", code="required")
    key = f"{number[2] or number[3] or conversion.assigner}|{number[1]}"
    conversion.add("Appointment", key, _appointment(sch, patient, conversion))


def _appointment(sch: Segment, patient: Json, conversion: Conversion) -> Json:
    source, segments = conversion.origin.source, conversion.message.segments
    minutes = _minutes(sch, 9)
    start, end = _times(sch, minutes, conversion)
    status = _status(sch, conversion, timed=bool(start and end))
    services = [
        each for segment in segments if segment.name == "AIS" and (each := concept(segment[3], source)) is not None
    ]
    identifiers = [entity(sch[1], conversion, kind="PLAC"), entity(sch[2], conversion, kind="FILL")]
    reason = concept(sch[7], source, table="0276") or concept(sch[6], source)
    return said(
        identifier=[each for each in identifiers if each],
        status=status,
        cancelationReason=concept(sch[6], source) if status in _CANCELLED else None,
        serviceType=services,
        appointmentType=concept(sch[8], source, table="0277"),
        reasonCode=[reason] if reason else None,
        start=start,
        end=end,
        minutesDuration=minutes or _between(start, end),
        comment=_comment(segments),
        participant=[
            {"actor": patient, "status": "accepted"},
            *_participants(segments, conversion),
        ],
    )


def _status(sch: Segment, conversion: Conversion, *, timed: bool) -> str:
    """Return the status the event says, else SCH-25, else booked; an appointment without a time is a proposal."""
    status = APPOINTMENT_EVENT_STATUS.get(conversion.event) or APPOINTMENT_STATUS.get(sch.text(25).upper(), "booked")
    if timed or status in _WITHOUT_TIME:
        return status
    conversion.note("warning", "required", "no start and end; read as proposed", sch.place(11))
    return "proposed"


def _times(sch: Segment, minutes: int | None, conversion: Conversion) -> tuple[str | None, str | None]:
    """Return start and end as instants: of SCH-11, else TQ1, else the earliest start in the resource segments."""
    clock, message = conversion.clock, conversion.message
    tq1 = message.first("TQ1")
    candidates = [(sch[11][4], sch[11][5])]
    if tq1 is not None:
        candidates.append((tq1.text(7), tq1.text(8)))
    starts = sorted(
        text for segment in message.segments if (text := segment.text(_START_FIELDS.get(segment.name, 999)))
    )
    candidates += [(text, "") for text in starts[:1]]
    for begin, finish in candidates:
        start, end = clock.instant(begin), clock.instant(finish)
        if start is None:
            continue
        if end is None:
            end = _later(start, minutes or _resource_minutes(message.segments))
        if end is not None and _moment(end) < _moment(start):
            conversion.note("warning", "value", "the appointment ends before it starts: end left out", "SCH-11.5")
            end = _later(start, minutes)
        return start, end
    return None, None


def _later(start: str, minutes: int | None) -> str | None:
    try:
        return (_moment(start) + timedelta(minutes=minutes)).isoformat() if minutes else None
    except OverflowError:  # after the last day of the calendar
        return None


def _moment(instant: str) -> datetime:
    return datetime.fromisoformat(instant)


def _between(start: str | None, end: str | None) -> int | None:
    if not (start and end):
        return None
    return int((_moment(end) - _moment(start)).total_seconds()) // 60 or None


def _minutes(segment: Segment, number: int) -> int | None:
    """Return a duration whose units are in the field after it."""
    text, unit = segment.text(number), segment.text(number + 1).upper()
    if not (text.isascii() and text.isdigit() and len(text) < 6) or unit not in _MINUTES:
        return None
    return int(text) * _MINUTES[unit] or None


def _resource_minutes(segments: list[Segment]) -> int | None:
    durations = [
        minutes
        for segment in segments
        if segment.name in _DURATION_FIELDS and (minutes := _minutes(segment, _DURATION_FIELDS[segment.name]))
    ]
    return max(durations, default=None)


def _participants(segments: list[Segment], conversion: Conversion) -> Iterator[Json]:
    """Yield the people and places of the appointment, each once."""
    seen: set[str] = set()
    for segment in segments:
        actor: Json | None = None
        if segment.name == "AIP":
            actor = practitioner(segment[3], conversion)
        elif segment.name == "AIL":
            actor = location(segment[3], conversion)
        elif segment.name == "AIG" and (shown := segment[3].whole(2) or segment[3][1]):
            actor = {"display": shown}
        name = (actor.get("reference") or actor["display"]) if actor else ""
        if actor and name not in seen:
            seen.add(name)
            kind = concept(segment[4], conversion.origin.source) if segment.name in ("AIP", "AIG") else None
            yield said(type=[kind] if kind else None, actor=actor, status="accepted")


def _comment(segments: list[Segment]) -> str | None:
    notes = comments([segment for segment in segments if segment.name == "NTE"])
    return notes[0]["text"] if notes else None
