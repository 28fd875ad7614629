"""One event of the audit trail as FHIR R4 AuditEvent, with the codes of IHE's Basic Audit Log Patterns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from hub_core.clock import instant
from hub_core.fhir.canonical import Json

if TYPE_CHECKING:
    from hub_core.auditing.questions import Seen

_REST: Final = "http://terminology.hl7.org/CodeSystem/audit-event-type"
_DICOM: Final = "http://dicom.nema.org/resources/ontology/DCM"
_INTERACTION: Final = "http://hl7.org/fhir/restful-interaction"
_OURS: Final = "https://wholechart.example/fhir/audit-action"
_PRINCIPAL: Final = "https://wholechart.example/fhir/principal"
_LOCATION: Final = "https://wholechart.example/fhir/location-key"
_ENTITY_TYPE: Final = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
_ENTITY_ROLE: Final = "http://terminology.hl7.org/CodeSystem/object-role"
_PURPOSE: Final = "http://terminology.hl7.org/CodeSystem/v3-ActReason"

_READING: Final = "read list history everything rows trace read_day read_card candidate"
_MAKING: Final = "create add register record book hold issue join tag ingest keep_card link enrol"
_CHANGING: Final = (
    "update correct move set_contacts set_hours set_masters change confirm arrive room begin check_out no_show end"
    " cancel reschedule take_back deactivate withdraw leave reset review merge unmerge receive override"
)
_REMOVING: Final = "delete revoke forget unlink"
ACTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "R": tuple(_READING.split()),
    "C": tuple(_MAKING.split()),
    "U": tuple(_CHANGING.split()),
    "D": tuple(_REMOVING.split()),
}
"""What verbs of ours are in FHIR's words (AuditEvent.action); all others execute something, as searches and log-ins."""

TYPES: Final[Mapping[str, str]] = {
    "session.open": "110114",
    "session.close": "110114",
    "glass.break": "110113",
    "export.run": "110106",
    "message.ingest": "110107",
}
"""Events that are no RESTful act on a record, by DICOM's codes: log-ins, security alerts, export, import."""
SYSTEMS_OF_TYPES: Final[Mapping[str, str]] = {"rest": _REST, **dict.fromkeys(TYPES.values(), _DICOM)}
_DISPLAYS: Final = {
    "rest": "RESTful Operation",
    "110106": "Export",
    "110107": "Import",
    "110113": "Security Alert",
    "110114": "User Authentication",
}
_SUBTYPES: Final = {
    "read": "read",
    "history": "history-instance",
    "search": "search-type",
    **{verb: verb for verb in ("create", "update", "delete")},
}
_CODES: Final = {"success": "0", "refused": "4", "failed": "8"}
OUTCOMES: Final[Mapping[str, str]] = {code: outcome for outcome, code in _CODES.items()}


def audit_event(event: Seen) -> Json:
    """Return an event as an AuditEvent."""
    verb = event.action.rpartition(".")[2]
    code = TYPES.get(event.action, "rest")
    subtypes = [{"system": _OURS, "code": event.action}]
    if verb in _SUBTYPES:
        subtypes.insert(0, {"system": _INTERACTION, "code": _SUBTYPES[verb]})
    resource: Json = {
        "resourceType": "AuditEvent",
        "id": str(event.event_id),
        "type": {"system": SYSTEMS_OF_TYPES[code], "code": code, "display": _DISPLAYS[code]},
        "subtype": subtypes,
        "action": next((letter for letter, verbs in ACTIONS.items() if verb in verbs), "E"),
        "recorded": instant(event.recorded_at),
        "outcome": _CODES[event.outcome],
        "agent": [_agent(event)],
        "source": {"observer": {"display": "Wholechart"}},
    }
    if event.outcome == "refused":
        resource["outcomeDesc"] = str(event.detail.get("reason", "refused"))
    if event.location is not None:
        resource["source"]["site"] = event.location
    if event.purpose is not None:
        resource["purposeOfEvent"] = [{"coding": [{"system": _PURPOSE, "code": event.purpose}]}]
    if entities := _entities(event):
        resource["entity"] = entities
    return resource


def _agent(event: Seen) -> Json:
    agent: Json = {"requestor": True}
    if event.principal_id is None:
        agent["name"] = "somebody not known, or the house itself"
    else:
        agent["who"] = {"identifier": {"system": _PRINCIPAL, "value": str(event.principal_id)}}
    if event.principal is not None:
        agent["name"] = event.principal
    if address := event.detail.get("address"):
        agent["network"] = {"address": str(address), "type": "2"}
    if event.purpose is not None:
        agent["purposeOfUse"] = [{"coding": [{"system": _PURPOSE, "code": event.purpose}]}]
    if event.location is not None:
        agent["location"] = {"identifier": {"system": _LOCATION, "value": event.location}}
    return agent


def _entities(event: Seen) -> list[Json]:
    """Return whose data and which resource it was about, with what else is known of the event."""
    entities: list[Json] = []
    if event.patient_id is not None:
        entities.append(_entity(f"Patient/{event.patient_id}", ("1", "Person"), ("1", "Patient")))
    if event.resource_type and event.resource_id and event.resource_id != str(event.patient_id):
        what = f"{event.resource_type}/{event.resource_id}"
        entities.append(_entity(what, ("2", "System Object"), ("4", "Domain Resource")))
    said = [
        {"type": name, "valueString": str(value)} for name, value in event.detail.items() if value not in (None, "")
    ]
    if said and not entities:
        entities.append({"type": {"system": _ENTITY_TYPE, "code": "4", "display": "Other"}})
    if said:
        entities[-1]["detail"] = said
    return entities


def _entity(what: str, kind: tuple[str, str], role: tuple[str, str]) -> Json:
    return {
        "what": {"reference": what},
        "type": {"system": _ENTITY_TYPE, "code": kind[0], "display": kind[1]},
        "role": {"system": _ENTITY_ROLE, "code": role[0], "display": role[1]},
    }
