"""What an Appointment of another source says, as this schedule would say it. Pure: no database, no clock."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from ehr_pm.scheduling.states import BLOCKING
from hub_core.fhir.canonical import Json

_STATUS: Final = {
    "booked": "booked",
    "pending": "booked",
    "arrived": "arrived",
    "checked-in": "arrived",
    "fulfilled": "checked_out",
    "noshow": "noshow",
}
"""R4 AppointmentStatus; proposed, waitlist, cancelled and entered-in-error take nobody's time: cancelled."""
_ACTORS: Final = frozenset({"Practitioner", "PractitionerRole", "Location", "Device"})
_FLOW: Final = ("booked", "confirmed", "arrived", "roomed", "in_visit", "checked_out")
_LONGEST: Final = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Heard:
    """A visit, as another source says."""

    status: str
    patient_id: UUID | None
    starts_at: datetime | None
    ends_at: datetime | None
    """None where only the kind of visit tells how long it takes."""
    actors: tuple[tuple[str, UUID], ...]
    """Type and id of everybody and everything it takes, but for the patient."""
    kinds: tuple[str, ...]
    """Codes and names of the kind of visit, folded as keys are written, the best first."""
    reason: str | None

    @property
    def is_blocking(self) -> bool:
        """Return whether it takes anybody's time."""
        return self.status in BLOCKING


def read(resource: Json) -> Heard:
    """Return what an Appointment says."""
    starts_at = _instant(resource.get("start"))
    actors = list(_actors(resource))
    return Heard(
        status=_STATUS.get(str(resource.get("status")), "cancelled"),
        patient_id=next((each for kind, each in actors if kind == "Patient"), None),
        starts_at=starts_at,
        ends_at=_end(resource, starts_at),
        actors=tuple(dict.fromkeys(each for each in actors if each[0] in _ACTORS)),
        kinds=tuple(dict.fromkeys(_kinds(resource))),
        reason=_text(resource.get("cancelationReason")),
    )


def status_here(heard: Heard, here: str | None, *, is_moved: bool, flow_is_ours: bool) -> str:
    """Return the status of a visit whose day is followed here: how far it has come by either's word.

    Args:
        heard: what the master says.
        here: what the row says; None is no row yet.
        is_moved: whether the master has moved it to another time since.
        flow_is_ours: whether patients are checked in here.
    """
    if here is None or is_moved or not flow_is_ours or heard.status == "cancelled":
        return heard.status
    if heard.status == "noshow":
        return here if here in _FLOW[2:] else "noshow"
    if here not in _FLOW:
        return "noshow" if here == "noshow" and heard.status == "booked" else heard.status
    return max(here, heard.status, key=_FLOW.index)


def _end(resource: Json, starts_at: datetime | None) -> datetime | None:
    """Return when it ends: said outright, or by how many minutes it takes; nothing longer than two days is believed."""
    if starts_at is None:
        return None
    ends_at, minutes = _instant(resource.get("end")), resource.get("minutesDuration")
    if ends_at is None and isinstance(minutes, int) and 0 < minutes < 24 * 60:
        ends_at = starts_at + timedelta(minutes=minutes)
    return ends_at if ends_at is not None and starts_at < ends_at <= starts_at + _LONGEST else None


def _actors(resource: Json) -> Iterator[tuple[str, UUID]]:
    for each in _listed(resource, "participant"):
        actor = each.get("actor")
        kind, _, key = str(actor.get("reference") if isinstance(actor, dict) else "").partition("/")
        try:
            yield kind, UUID(key)
        except ValueError:
            continue


def _kinds(resource: Json) -> Iterator[str]:
    told = [*_listed(resource, "serviceType"), resource.get("appointmentType") or {}]
    for each in told:
        for coding in _listed(each, "coding"):
            yield from (folded(coding[name]) for name in ("code", "display") if isinstance(coding.get(name), str))
        if isinstance(each.get("text"), str):
            yield folded(each["text"])


def folded(text: str) -> str:
    """Return words as a key is written: small letters and digits, all else a hyphen."""
    return re.sub(r"[^a-z0-9]+", "-", text.casefold()).strip("-")


def _text(concept: Any) -> str | None:
    """Return a concept in words."""
    if not isinstance(concept, dict):
        return None
    shown = (coding.get("display") or coding.get("code") for coding in _listed(concept, "coding"))
    found = concept.get("text") or next((each for each in shown if each), None)
    return str(found)[:500] if found else None


def _instant(text: object) -> datetime | None:
    """Return an instant; a time without a zone is none."""
    try:
        moment = datetime.fromisoformat(str(text))
        return moment.astimezone(UTC) if moment.tzinfo is not None and 1900 < moment.year < 2200 else None
    except ValueError:
        return None


def _listed(node: Json, name: str) -> list[Json]:
    found = node.get(name)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
