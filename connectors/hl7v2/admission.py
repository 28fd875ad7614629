"""ADT messages: a patient and, when there is one, the visit with what belongs to it."""

from __future__ import annotations

from connectors.connector import Authority
from connectors.hl7v2.allergy import add_allergy
from connectors.hl7v2.condition import add_condition
from connectors.hl7v2.conversion import Conversion
from connectors.hl7v2.coverage import add_coverage
from connectors.hl7v2.encounter import add_encounter
from connectors.hl7v2.observation import Setting, add_observation
from connectors.hl7v2.patient import add_patient
from connectors.hl7v2.related import add_related_person
from connectors.hl7v2.tokenizer import Segment
from hub_core.errors import UnreadableError
from hub_core.fhir.canonical import Json

_PERSON_EVENTS = frozenset({"A28", "A31"})
"""Events about a person: the visit that their PV1 must hold is no news of any visit."""


def map_admission(conversion: Conversion) -> None:
    """State what an ADT message says.

    Raises:
        UnreadableError: if it has no PID, or the PID identifies nobody.
    """
    message = conversion.message
    pid = required_pid(conversion)
    key, patient = add_patient(pid, conversion, Authority.FULL, message.first("PD1"))
    authority = Authority.MENTION if conversion.event in _PERSON_EVENTS else Authority.FULL
    encounter = add_encounter(message.first("PV1"), message.first("PV2"), key, conversion, authority)
    for segment in message.segments:
        name = segment.name
        if name == "NK1":
            add_related_person(segment, key, conversion)
        elif name == "DG1":
            add_condition(segment, key, encounter, conversion)
        elif name == "AL1":
            add_allergy(segment, key, conversion)
        elif name == "IN1":
            add_coverage(segment, key, conversion)
    _add_observations(key, patient, encounter, conversion)


def _add_observations(key: str, patient: Json, encounter: Json | None, conversion: Conversion) -> None:
    """State the observations of an admission; those of one time are known by patient, code and time."""
    for obx in conversion.message.all("OBX"):
        setting = Setting(patient, f"{key}|OBX|{obx.text(14)}", encounter)
        add_observation(obx, [], setting, conversion)


def required_pid(conversion: Conversion) -> Segment:
    """Return the PID segment.

    Raises:
        UnreadableError: if there is none.
    """
    pid = conversion.message.first("PID")
    if pid is None:
        raise UnreadableError("there is no PID segment: nobody the message is about", location="PID", code="required")
    return pid
