"""The Provenance of every version that is stored, made of its envelope: who said it, in which message, read by what.

None of them is kept: a version and its Provenance cannot disagree. Its id says which version it is of, so that it can
be read for as long as that is there. Profile: US Core Provenance 6.1 (target, recorded, agents that are author and
transmitter).
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from uuid import UUID

from hub_core.clock import instant
from hub_core.feeds import API_SOURCES, OWN_SOURCE, STAFF_SOURCE
from hub_core.fhir.canonical import Json, dumps
from hub_core.fhir.registry import RESOURCE_TYPES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from starlette.requests import Request

    from ehr_pm.record.envelopes import Envelope, Version

PROVENANCE: Final = "Provenance"

_ID: Final = re.compile(r"(?P<type>[A-Z][A-Za-z]{1,40})\.(?P<version>[1-9]\d{0,8})\.(?P<id>[a-z2-7]{26})")
_PROFILE: Final = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-provenance"
_OPERATION: Final = "http://terminology.hl7.org/CodeSystem/v3-DataOperation"
_PARTICIPANT: Final = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
_US_PARTICIPANT: Final = "http://hl7.org/fhir/us/core/CodeSystem/us-core-provenance-participant-type"
_OURS: Final = "https://wholechart.example/fhir"


@dataclass(frozen=True, slots=True)
class Made:
    """A Provenance of one version, which never changes."""

    resource_id: str
    patient_id: UUID | None
    location: str | None
    recorded_at: datetime
    body: str
    resource_type: str = PROVENANCE
    version: int = 1
    deleted: bool = False


def id_of_version(resource_type: str, resource_id: UUID, version: int) -> str:
    """Return the id of the Provenance of a version: type, version, and the resource's id in base 32.

    FHIR allows 64 characters, which a UUID as it is usually written and the longest type names do not fit in.
    """
    return f"{resource_type}.{version}.{base64.b32encode(resource_id.bytes).decode().rstrip('=').lower()}"


def version_of_id(text: str) -> Version | None:
    """Return the version that an id says; None if it is the id of another Provenance, or of nothing."""
    match = _ID.fullmatch(text)
    if match is None or match["type"] not in RESOURCE_TYPES:
        return None
    try:
        resource_id = UUID(bytes=base64.b32decode(match["id"].upper() + "======"))
    except (binascii.Error, ValueError):
        return None
    version = match["type"], resource_id, int(match["version"])
    return version if id_of_version(*version) == text else None


def named(request: Request) -> Version | None:
    """Return the version whose Provenance the address of a request names."""
    names = request.path_params
    return version_of_id(names["resource_id"]) if names["resource_type"] == PROVENANCE else None


def made(envelope: Envelope) -> Made:
    """Return the Provenance of a version."""
    body = dumps(_resource(envelope)).decode()
    return Made(_id(envelope), envelope.patient_id, envelope.location, envelope.recorded_at, body)


def _resource(envelope: Envelope) -> Json:
    recorded = instant(envelope.recorded_at)
    reference = f"{envelope.resource_type}/{envelope.resource_id}/_history/{envelope.version}"
    operation = "DELETE" if envelope.deleted else "CREATE" if envelope.version == 1 else "UPDATE"
    resource: Json = {
        "resourceType": PROVENANCE,
        "id": _id(envelope),
        "meta": {"versionId": "1", "lastUpdated": recorded, "profile": [_PROFILE]},
        "target": [{"reference": reference}],
        "recorded": recorded,
        "activity": {"coding": [{"system": _OPERATION, "code": operation}]},
        "agent": list(_agents(envelope)),
    }
    if envelope.message_id is not None:
        what = {"identifier": _identifier("message", str(envelope.message_id)), "display": _message(envelope)}
        resource["entity"] = [{"role": "source", "what": what}]
    return resource


def _id(envelope: Envelope) -> str:
    return id_of_version(envelope.resource_type, envelope.resource_id, envelope.version)


def _agents(envelope: Envelope) -> Iterator[Json]:
    """Yield who said it; who sent it here, where it came in a message; and that it was put together here."""
    author = _author(envelope)
    yield _agent(_PARTICIPANT, "author", author)
    if envelope.message_id is not None:
        yield _agent(_US_PARTICIPANT, "transmitter", author)
    us: Json = {"display": "Wholechart"}
    if envelope.mapping_version is not None:
        us = {"identifier": _identifier("mapping", envelope.mapping_version), **us}
    yield _agent(_PARTICIPANT, "assembler", us)


def _author(envelope: Envelope) -> Json:
    source = envelope.source
    if envelope.writer_id is not None:
        return {"identifier": _identifier("principal", str(envelope.writer_id)), "display": "a person of this house"}
    if source == STAFF_SOURCE:
        return {"identifier": _identifier("source", source), "display": "the people of this house"}
    if source.startswith(API_SOURCES):
        return {"identifier": _identifier("principal", source.removeprefix(API_SOURCES)), "display": "a program"}
    display = "the practice itself" if source == OWN_SOURCE else source
    return {"type": "Organization", "identifier": _identifier("source", source), "display": display}


def _agent(system: str, code: str, who: Json) -> Json:
    return {"type": {"coding": [{"system": system, "code": code}]}, "who": who}


def _message(envelope: Envelope) -> str:
    kind, feed = envelope.kind or "a message", envelope.feed or "a feed that is no more"
    return f"{kind} of {feed}, record {envelope.position or 1}"


def _identifier(what: str, value: str) -> Json:
    return {"system": f"{_OURS}/{what}", "value": value}
