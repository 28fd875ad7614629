"""Doing what the script of northgate intends: each intention is a call of the API, or two where the desk is asked."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import httpx

from hub_core.errors import WholechartError
from pipelines.demo.northgate.ledger import Heard, Ledger
from pipelines.demo.northgate.opening import API, Place

Intention = Mapping[str, Any]
"""A line of the script."""

_EXCHANGE = "urn:id:RIVEREX"
"""The system under which every source of the group states the regional exchange's number."""
_CONFLICT = httpx.codes.CONFLICT
_ENTERED_LATE = "entered when the month was over"
_SEEN = "told apart at the desk by name and date of birth"


def do(place: Place, ledger: Ledger, intention: Intention) -> Heard:
    """Do one thing, and return what the hub answered.

    Raises:
        WholechartError: if it refuses what it must not refuse.
    """
    who = place.people[intention["by"]]
    if intention["do"] == "register":
        return _register(place, ledger, who, intention)
    subject, answer = _asked(place, ledger, who, intention)
    if answer.is_error and (not intention.get("refused") or answer.is_server_error):
        raise WholechartError(f"{intention['key']} ({intention['do']}) was answered {answer.status_code}")
    made = "" if answer.is_error else _id_in(answer.json())
    return Heard(intention["key"], subject, answer.status_code, made)


def _asked(place: Place, ledger: Ledger, who: httpx.Client, told: Intention) -> tuple[str, httpx.Response]:
    """Return what an intention is about, and what the hub answered."""
    kind = told["do"]
    if kind == "cover":
        patient = ledger.id_of(told["record"])
        return told["coverage"], who.post(f"{API}/patients/{patient}/coverages", json=_coverage(place, told))
    if kind == "book":
        headers = {"Idempotency-Key": str(uuid5(NAMESPACE_URL, told["key"]))}
        return told["booking"], who.post(f"{API}/appointments", json=_wanted(place, ledger, told), headers=headers)
    if kind == "move":
        moved = {"to": _wanted(place, ledger, told), "reason": told["reason"]}
        return told["booking"], who.post(f"{API}/appointments/{ledger.id_of(told['from'])}/reschedule", json=moved)
    if kind == "merge":
        both = {f"{each}_id": ledger.id_of(told[each]) for each in ("survivor", "merged")}
        return told["merge"], who.post(f"{API}/merges", json={**both, "reason": told["reason"]})
    if kind == "part":
        return told["merge"], who.post(f"{API}/merges/{ledger.id_of(told['merge'])}/undo")
    path = f"{API}/appointments/{ledger.id_of(told['booking'])}/{kind}"
    return told["booking"], who.post(path, json=_said_of_step(place, told))


def _said_of_step(place: Place, told: Intention) -> dict[str, str] | None:
    """Return what is said of a step: why a visit is given up, or when that happened which is entered after the day."""
    if told["do"] == "cancel":
        return {"reason": told["reason"]}
    if told["do"] == "confirm" or told.get("refused"):
        return None
    happened_at = datetime.fromisoformat(told["at"]).replace(tzinfo=place.zone)
    return {"happened_at": happened_at.isoformat(), "reason": _ENTERED_LATE}


def _register(place: Place, ledger: Ledger, who: httpx.Client, told: Intention) -> Heard:
    """Register somebody; shown who looks like them, the desk takes that record or says why this is another person."""
    asked = {"patient": _patient(place, told["person"])}
    answer = who.post(f"{API}/patients", json=asked)
    if answer.status_code == _CONFLICT and told.get("known"):
        shown = [each["patient"]["patient_id"] for each in answer.json()["candidates"] if each["patient"]]
        if ledger.id_of(told["record"]) not in shown:
            raise WholechartError(f"{told['key']}: the desk was not shown whom it knows")
        return Heard(told["key"], told["record"], answer.status_code)
    if answer.status_code == _CONFLICT:
        answer = who.post(f"{API}/patients", json={**asked, "despite": told.get("despite", _SEEN)})
    if answer.is_error:
        raise WholechartError(f"{told['key']} (register) was answered {answer.status_code}")
    made = answer.json()
    return Heard(told["key"], told["record"], answer.status_code, made["patient_id"], made["mrn"])


def _patient(place: Place, person: Mapping[str, Any]) -> dict[str, Any]:
    said = ("family", "given", "middle", "suffix", "birth_date", "gender", "ethnicity", "language")
    patient = {name: person[name] for name in said if name in person}
    contacts = (("mobile", person.get("phone")), ("email", person.get("email")))
    number = person.get("exchange_number")
    return patient | {
        "home_location_id": place.location_id,
        "races": [person["race"]] if "race" in person else [],
        "addresses": [person["address"]] if "address" in person else [],
        "contacts": [{"kind": kind, "value": value} for kind, value in contacts if value],
        "identifiers": [{"system": _EXCHANGE, "value": number, "kind": "PI"}] if number else [],
    }


def _coverage(place: Place, told: Intention) -> dict[str, Any]:
    said = ("rank", "member_id", "group_number", "relationship", "starts", "ends")
    subscriber = {f"subscriber_{part}": value for part, value in told.get("subscriber", {}).items()}
    return {
        "payer_id": place.payers[told["payer"]],
        **{name: told[name] for name in said if name in told},
        **subscriber,
    }


def _wanted(place: Place, ledger: Ledger, told: Intention) -> dict[str, Any]:
    reason = {"override_reason": told["override"]} if "override" in told else {}
    return {
        "patient_id": ledger.id_of(told["record"]),
        "location_id": place.location_id,
        "visit_type_id": place.visit_types[told["visit_type"]],
        "bookable_ids": [place.clinicians[told["clinician"]]],
        "local_start": told["starts"],
        **reason,
    }


def _id_in(answer: Mapping[str, Any]) -> str:
    """Return the id of what an answer is about."""
    said = answer.get("appointment", answer)
    return str(next(said[name] for name in ("appointment_id", "coverage_id", "merge_id") if name in said))
