"""Disclosures for programs: noted by whoever made one, and accounted for to the patient (45 CFR 164.528)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from ehr_pm.acts import Act
from ehr_pm.record import queries
from ehr_pm.record.scope import known_at
from hub_api.practice.answers import answer
from hub_api.security.caller import Caller, caller_of
from hub_api.security.permission import require_any
from hub_api.services import services_of
from hub_core.access import Action, Subject, decide
from hub_core.auditing import disclosures
from hub_core.auditing.accounting import PURPOSES, accounting
from hub_core.auditing.disclosures import Disclosure
from hub_core.clock import instant
from hub_core.database import driver_connection
from hub_core.errors import NotFoundError, UnreadableError
from hub_core.fhir.canonical import Json

if TYPE_CHECKING:
    import psycopg

router = APIRouter(prefix="/api/practice", tags=["disclosures"])

_Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=500)]
_CLOCKS_DIFFER_BY = timedelta(minutes=5)


class NewDisclosure(BaseModel):
    """What was given to whom, when and why."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    disclosed_at: AwareDatetime | None = Field(default=None, description="Now when it is not said.")
    recipient: _Words
    recipient_address: _Words | None = None
    description: _Words = Field(description="What was disclosed, in a few words; not the data itself.")
    purpose: Literal[
        "required-by-law",
        "public-health",
        "abuse-report",
        "health-oversight",
        "judicial",
        "law-enforcement",
        "decedents",
        "organ-donation",
        "research",
        "serious-threat",
        "government-function",
        "workers-compensation",
        "mistake",
    ]


@dataclass(frozen=True, slots=True)
class Asked:
    """Of whom an accounting is asked: a patient with those records of the same person that the caller may ask of."""

    patient_id: UUID
    records: list[UUID]


@router.get("/patients/{patient_id}/disclosures")
async def read_accounting(request: Request, patient_id: UUID) -> Response:
    """Answer the accounting of the disclosures of a patient's records in the last six years."""

    def work(doing: Act) -> Response:
        asked = asked_of(doing, caller_of(request), patient_id, "disclosure.read")
        doing.noted("disclosure.read", resource_type="Patient", resource_id=str(patient_id), patient_id=patient_id)
        found = accounting(_driver(doing), asked.records, doing.moment)
        return answer([_said(each) for each in found])

    return await services_of(request).act(caller_of(request), work)


@router.post("/patients/{patient_id}/disclosures")
async def note_disclosure(request: Request, patient_id: UUID, told: NewDisclosure) -> Response:
    """Note a disclosure that was made."""

    def work(doing: Act) -> Response:
        asked_of(doing, caller_of(request), patient_id, "disclosure.write")
        made_at = told.disclosed_at or doing.moment
        if made_at > doing.moment + _CLOCKS_DIFFER_BY:
            raise UnreadableError("a disclosure is noted once it was made", location="disclosed_at", code="value")
        disclosure = Disclosure(
            made_at,
            patient_id,
            told.recipient,
            told.description,
            told.purpose,
            told.recipient_address,
            doing.actor.principal_id,
            doing.actor.location,
        )
        disclosure_id = disclosures.record(_driver(doing), disclosure)
        doing.noted("disclosure.record", patient_id=patient_id, disclosure_id=str(disclosure_id))
        return answer(_said(disclosure) | {"disclosure_id": str(disclosure_id)}, status=201)

    return await services_of(request).act(caller_of(request), work)


def asked_of(doing: Act, caller: Caller, patient_id: UUID, action: Action) -> Asked:
    """Return of which records a caller may ask this; of a person's others only those that they reach themselves.

    Raises:
        NotFoundError: if there is no such patient.
        RefusedError: if the caller may not ask it of this patient.
    """
    connection = _driver(doing)
    if queries.read(connection, "Patient", patient_id) is None:
        raise NotFoundError("there is no such patient")
    require_any(caller, (action,), Subject(known_at(connection, patient_id), patient_id))
    members = queries.members(connection, queries.persons_of(connection, [patient_id], limit=1))
    others = {each.patient_id for each in members} - {patient_id}
    reached = [each for each in others if _may(caller, connection, each, action)]
    return Asked(patient_id, [patient_id, *reached])


def _may(caller: Caller, connection: psycopg.Connection[Any], patient_id: UUID, action: Action) -> bool:
    return decide(caller.access, action, Subject(known_at(connection, patient_id), patient_id)).is_allowed


def _said(disclosure: Disclosure) -> Json:
    return {
        "disclosed_at": instant(disclosure.disclosed_at),
        "recipient": disclosure.recipient,
        "recipient_address": disclosure.recipient_address,
        "description": disclosure.description,
        "purpose": disclosure.purpose,
        "purpose_in_words": PURPOSES.get(disclosure.purpose, disclosure.purpose),
    }


def _driver(doing: Act) -> psycopg.Connection[Any]:
    return driver_connection(doing.session.connection())
