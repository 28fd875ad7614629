"""PID and PD1 to Patient, with US Core race, ethnicity and the rest; who a message is about."""

from __future__ import annotations

import re
from typing import Final

from connectors.connector import Authority
from connectors.hl7v2.concepts import concept
from connectors.hl7v2.conversion import Conversion, said
from connectors.hl7v2.datatypes import addresses, assigner, identifier, identifier_type, names, telecoms
from connectors.hl7v2.parties import practitioner
from connectors.hl7v2.tables import ETHNICITY, GENDER, MARITAL_STATUS, OMB_ETHNICITIES, OMB_RACES
from connectors.hl7v2.tokenizer import Composite, Segment
from hub_core.errors import UnreadableError
from hub_core.fhir.canonical import Json
from hub_core.fhir.systems import NULL_FLAVOR, RACE_AND_ETHNICITY, SSN

_US_CORE: Final = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-"
_EXTENSION: Final = "http://hl7.org/fhir/StructureDefinition/"
_RECORD_TYPES: Final = ("MR", "MRN", "PI", "PT", "U")
"""CX-5 of identifiers that name the patient's record, the first being the best."""
_CDC_CODE: Final = re.compile(r"\d{4}-\d\Z")
_UNKNOWN: Final = {"U", "UN", "UNK", "ASKU", "99"}


def patient_key(value: Composite, conversion: Conversion) -> str:
    """Return the business identifier of a patient: `<assigner>|<number>` of a CX."""
    return f"{assigner(value, 4, conversion)}|{value[1]}"


def record_number(candidates: list[Composite]) -> Composite | None:
    """Return the identifier that names the patient's record: a medical record number if there is one."""
    numbers = [value for value in candidates if value[1]]
    for kind in _RECORD_TYPES:
        for value in numbers:
            if value[5].upper() == kind:
                return value
    return next((value for value in numbers if value[5].upper() != "SS"), numbers[0] if numbers else None)


def subject_key(pid: Segment, conversion: Conversion) -> str:
    """Return the business identifier of the patient in `pid`.

    Raises:
        UnreadableError: if neither PID-3 nor the fields it replaced (PID-2, PID-4) name one.
    """
    for number in (3, 2, 4):
        found = record_number(pid.repetitions(number))
        if found is not None:
            if number != 3:
                conversion.note("information", "required", f"no PID-3; PID-{number} is used", pid.place(3))
            return patient_key(found, conversion)
    raise UnreadableError("there is no patient identifier", location=pid.place(3), code="required")


def add_patient(
    pid: Segment, conversion: Conversion, authority: Authority, pd1: Segment | None = None
) -> tuple[str, Json]:
    """State the patient of `pid` and return its business identifier with a reference.

    A PID that names nobody (no PID-5) only mentions its patient, whatever the message is about: the identifiers of a
    merge must not wipe out demographics.
    """
    key = subject_key(pid, conversion)
    content = conversion.once((pid.place(), pid.encode()), lambda: patient(pid, conversion))
    if pd1 is not None and (known_by := _general_practitioners(pd1, conversion)):
        content = {**content, "generalPractitioner": known_by}
    if "name" not in content:
        authority = min(authority, Authority.MENTION)
    return key, conversion.add("Patient", key, content, authority)


def patient(pid: Segment, conversion: Conversion) -> Json:
    """Return what `pid` says of a patient, without type and id."""
    birth_date = conversion.date(pid, 7)
    birth_time = conversion.instant(pid, 7) if birth_date and not pid.text(7).startswith("0000", 8) else None
    return said(
        extension=_extensions(pid, conversion),
        identifier=_identifiers(pid, conversion),
        name=names(pid, 5, 9),
        telecom=[*telecoms(pid, 13, "home"), *telecoms(pid, 14, "work"), *telecoms(pid, 40)],
        gender=gender(pid, 8, conversion),
        birthDate=birth_date,
        _birthDate=birth_time
        and {"extension": [{"url": f"{_EXTENSION}patient-birthTime", "valueDateTime": birth_time}]},
        **_deceased(pid, conversion),
        address=addresses(pid, 11, conversion),
        maritalStatus=concept(pid[16], conversion.origin.source, table="0002", mapped=MARITAL_STATUS),
        **_multiple_birth(pid),
        communication=_communication(pid, conversion),
    )


def gender(segment: Segment, number: int, conversion: Conversion) -> str | None:
    """Return the administrative gender (table 0001) in field `number`; a word outside the table is `unknown`."""
    code = segment.text(number).upper()
    if not code:
        return None
    found = GENDER.get(code) or next((word for word in GENDER.values() if word == code.lower()), None)
    if found is None:
        conversion.note("warning", "code-invalid", "not a code of table 0001; read as unknown", segment.place(number))
    return found or "unknown"


def _identifiers(pid: Segment, conversion: Conversion) -> list[Json]:
    result: list[Json] = []
    seen: set[tuple[str, str]] = set()
    candidates = [(value, "") for number in (3, 2, 4) for value in pid.repetitions(number)]
    candidates += [(value, "DL") for value in pid.repetitions(20)]
    for value, kind in candidates:
        found = identifier(value, conversion, kind=kind)
        if found and (key := (found["system"], found["value"])) not in seen:
            seen.add(key)
            result.append(found)
    if (number := pid.text(19)) and (SSN, number) not in seen:
        result.append({"type": identifier_type("SS"), "system": SSN, "value": number})
    return result


def _extensions(pid: Segment, conversion: Conversion) -> list[Json]:
    result: list[Json] = []
    if race := _race(pid):
        result.append({"url": f"{_US_CORE}race", "extension": race})
    if ethnicity := _ethnicity(pid):
        result.append({"url": f"{_US_CORE}ethnicity", "extension": ethnicity})
    if maiden := pid[6][1]:
        result.append({"url": f"{_EXTENSION}patient-mothersMaidenName", "valueString": maiden})
    if religion := concept(pid[17], conversion.origin.source, table="0006"):
        result.append({"url": f"{_EXTENSION}patient-religion", "valueCodeableConcept": religion})
    if place := pid.text(23):
        result.append({"url": f"{_EXTENSION}patient-birthPlace", "valueAddress": {"text": place}})
    return result


def _race(pid: Segment) -> list[Json]:
    """Return the parts of US Core's race extension: OMB categories, detailed CDC codes, and always the text."""
    result: list[Json] = []
    texts = []
    for value in pid.repetitions(10):
        code, display = value[1], value.whole(2)
        texts.append(display or code)
        if code.upper() in _UNKNOWN:
            result.append(_cdc("ombCategory", "UNK", "unknown", NULL_FLAVOR))
        elif code in OMB_RACES:
            result.append(_cdc("ombCategory", code, display))
        elif _CDC_CODE.match(code):
            result.append(_cdc("detailed", code, display))
    return [*result, {"url": "text", "valueString": ", ".join(texts)}] if any(texts) else []


def _ethnicity(pid: Segment) -> list[Json]:
    value = pid[22]
    code, display = value[1], value.whole(2)
    if not (code or display):
        return []
    result = []
    if code in ETHNICITY:
        result.append(_cdc("ombCategory", *ETHNICITY[code]))
    elif code in OMB_ETHNICITIES:
        result.append(_cdc("ombCategory", code, display))
    elif _CDC_CODE.match(code):
        result.append(_cdc("detailed", code, display))
    known = ETHNICITY.get(code, ("", code))[1]
    return [*result, {"url": "text", "valueString": display or known}]


def _cdc(url: str, code: str, display: str, system: str = RACE_AND_ETHNICITY) -> Json:
    return {"url": url, "valueCoding": said(system=system, code=code, display=display)}


def _deceased(pid: Segment, conversion: Conversion) -> Json:
    died_at = conversion.date_time(pid, 29)
    if died_at:
        return {"deceasedDateTime": died_at}
    return _indicator("deceasedBoolean", pid.text(30))


def _birth_time(at: str) -> Json:
    return {"extension": [{"url": f"{_EXTENSION}patient-birthTime", "valueDateTime": at}]}


def _multiple_birth(pid: Segment) -> Json:
    order = pid.text(25)
    if order.isascii() and order.isdigit() and len(order) < 4 and pid.text(24) != "N":
        return {"multipleBirthInteger": int(order)}
    return _indicator("multipleBirthBoolean", pid.text(24))


def _indicator(element: str, code: str) -> Json:
    meaning = {"Y": True, "N": False}.get(code.upper())
    return {} if meaning is None else {element: meaning}


def _communication(pid: Segment, conversion: Conversion) -> list[Json]:
    language = concept(pid[15], conversion.origin.source, table="0296")
    return [{"language": language}] if language else []


def _general_practitioners(pd1: Segment, conversion: Conversion) -> list[Json]:
    found = (practitioner(value, conversion) for value in pd1.repetitions(4))
    return [each for each in found if each is not None]
