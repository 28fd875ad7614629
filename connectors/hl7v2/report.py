"""ORU: orders, results and comments to DiagnosticReport, ServiceRequest, Specimen and Observation."""

from __future__ import annotations

from dataclasses import dataclass, field

from connectors.connector import Authority
from connectors.hl7v2.admission import required_pid
from connectors.hl7v2.conversion import Conversion, said
from connectors.hl7v2.datatypes import entity
from connectors.hl7v2.encounter import add_encounter
from connectors.hl7v2.observation import Setting, add_observation, category_of, comments
from connectors.hl7v2.parties import folded, practitioner
from connectors.hl7v2.patient import add_patient
from connectors.hl7v2.tables import OBSERVATION_STATUS, ORDER_STATUS, REPORT_STATUS
from connectors.hl7v2.tokenizer import Composite, Segment
from hub_core.fhir.canonical import Json


@dataclass(slots=True)
class Order:
    """One order with its results: ORC, OBR, OBX with their NTE, SPM."""

    obr: Segment
    orc: Segment | None = None
    notes: list[Segment] = field(default_factory=list)
    results: list[tuple[Segment, list[Segment]]] = field(default_factory=list)
    specimen: Segment | None = None


@dataclass(slots=True)
class Subject:
    """One patient of the message, the visit, and the orders."""

    pid: Segment
    pd1: Segment | None = None
    pv1: Segment | None = None
    pv2: Segment | None = None
    orders: list[Order] = field(default_factory=list)


def map_results(conversion: Conversion) -> None:
    """State what an ORU message says, for each patient in it.

    Raises:
        UnreadableError: if it has no PID, or one that identifies nobody.
    """
    required_pid(conversion)
    for subject in subjects(conversion.message.segments):
        key, patient = add_patient(subject.pid, conversion, Authority.MENTION, subject.pd1)
        encounter = add_encounter(subject.pv1, subject.pv2, key, conversion, Authority.MENTION)
        for order in subject.orders:
            add_report(order, key, patient, encounter, conversion)


def subjects(segments: list[Segment]) -> list[Subject]:
    """Return the groups of an ORU: segments belong to the last PID, ORC/OBR and OBX before them."""
    result: list[Subject] = []
    orc: Segment | None = None
    for segment in segments:
        name = segment.name
        if name == "PID":
            result.append(Subject(segment))
            orc = None
        elif not result:
            continue
        elif name == "ORC":
            orc = segment
        elif name == "OBR":
            result[-1].orders.append(Order(segment, orc))
            orc = None
        else:
            _place(segment, result[-1])
    return result


def _place(segment: Segment, subject: Subject) -> None:
    name = segment.name
    order = subject.orders[-1] if subject.orders else None
    if name == "PV1":
        subject.pv1 = segment
    elif name == "PV2":
        subject.pv2 = segment
    elif name == "PD1":
        subject.pd1 = segment
    elif order and name == "OBX":
        # OBX after SPM describe the specimen, and still are observations of the order
        order.results.append((segment, []))
    elif order and name == "NTE":
        (order.results[-1][1] if order.results else order.notes).append(segment)
    elif order and name == "SPM" and order.specimen is None:
        order.specimen = segment


def add_report(order: Order, patient_key: str, patient: Json, encounter: Json | None, conversion: Conversion) -> None:
    """State one order: what was asked, the specimen, the results, and the report of them all."""
    obr = order.obr
    key = conversion.unused("DiagnosticReport", _report_key(order, patient_key, conversion))
    status = REPORT_STATUS.get(obr.text(25).upper()) or _status_of(order)
    numbers = _numbers(order, conversion)
    request = _add_request(order, numbers, patient, encounter, status, conversion)
    specimen = _add_specimen(order.specimen, patient, conversion)
    effective = conversion.date_time(obr, 7)
    setting = Setting(
        subject=patient,
        key=key,
        encounter=encounter,
        effective=effective,
        status="final" if status == "final" else None,
        category=category_of(obr.text(24), "laboratory"),
        specimen=specimen,
    )
    results = [add_observation(obx, notes, setting, conversion) for obx, notes in order.results]
    end = conversion.date_time(obr, 8) if obr.raw(8) else None
    content = said(
        identifier=numbers,
        basedOn=[request] if request else None,
        status=status,
        category=_listed(conversion.concept(obr[24], table="0074")),
        code=conversion.concept(obr[4]) or {"text": "unknown"},
        subject=patient,
        encounter=encounter,
        effectiveDateTime=None if end and effective else effective,
        effectivePeriod={"start": effective, "end": end} if end and effective else None,
        issued=conversion.instant(obr, 22),
        resultsInterpreter=_listed(_interpreter(obr[32], conversion)),
        specimen=[specimen] if specimen else None,
        result=[each for each in results if each is not None],
        conclusion=comments(order.notes)[0]["text"] if not request and comments(order.notes) else None,
    )
    conversion.add("DiagnosticReport", key, content)


def _report_key(order: Order, patient_key: str, conversion: Conversion) -> str:
    """Return the filler's (else placer's) order number with the code of the service; else patient, code and time."""
    obr = order.obr
    code = obr.text(4) or folded(obr[4].whole(2))
    for number, prefix in ((3, ""), (2, "placer|")):
        value = _order_number(order, number)
        if value is not None:
            return f"{prefix}{value[2] or value[3] or conversion.assigner}|{value[1]}|{code}"
    return f"{patient_key}|OBR|{code}|{obr.text(7)}"


def _order_number(order: Order, number: int) -> Composite | None:
    """Return placer (2) or filler (3) order number; OBR and ORC hold both under the same field numbers."""
    for segment in (order.obr, order.orc):
        if segment is not None and segment.text(number):
            return segment[number]
    return None


def _numbers(order: Order, conversion: Conversion) -> list[Json]:
    found = ((_order_number(order, number), kind) for number, kind in ((2, "PLAC"), (3, "FILL")))
    read = (entity(value, conversion, kind=kind) for value, kind in found if value is not None)
    return [each for each in read if each is not None]


def _status_of(order: Order) -> str:
    """Return the status of a report that says none: final or preliminary when all its results are."""
    said_by_results = {OBSERVATION_STATUS.get(obx.text(11).upper()) for obx, _ in order.results}
    if len(said_by_results) == 1 and (only := said_by_results.pop()) in ("final", "preliminary", "corrected"):
        return only
    return "unknown"


def _add_request(
    order: Order,
    numbers: list[Json],
    patient: Json,
    encounter: Json | None,
    report_status: str,
    conversion: Conversion,
) -> Json | None:
    """State the order, as far as its results mention it; None where it has no number."""
    number = _order_number(order, 2) or _order_number(order, 3)
    if number is None:
        return None
    obr, orc = order.obr, order.orc
    code = obr.text(4) or folded(obr[4].whole(2))
    key = f"{number[2] or number[3] or conversion.assigner}|{number[1]}|{code}"
    status = ORDER_STATUS.get(orc.text(5).upper()) if orc else None
    requester = practitioner(obr[16], conversion) if obr.raw(16) else None
    if requester is None and orc is not None and orc.raw(12):
        requester = practitioner(orc[12], conversion)
    content = said(
        identifier=numbers,
        status=status or ("completed" if report_status in ("final", "corrected") else "unknown"),
        intent="order",
        code=conversion.concept(obr[4]),
        subject=patient,
        encounter=encounter,
        authoredOn=conversion.date_time(orc, 9) if orc and orc.raw(9) else None,
        requester=requester,
        reasonCode=[each for value in obr.repetitions(31) if (each := conversion.concept(value)) is not None],
        note=comments(order.notes),
    )
    return conversion.add("ServiceRequest", key, content, Authority.MENTION)


def _add_specimen(spm: Segment | None, patient: Json, conversion: Conversion) -> Json | None:
    """State the specimen of `spm`; None where it has no id of its own."""
    if spm is None:
        return None
    filler, placer = spm[2].sub(2), spm[2].sub(1)
    number = filler if filler[1] else placer
    if not number[1]:
        return None
    numbers = (entity(placer, conversion, kind="PLAC"), entity(filler, conversion, kind="FILL"))
    collected = spm[17]
    start, end = conversion.clock.date_time(collected[1]), conversion.clock.date_time(collected[2])
    content = said(
        identifier=[each for each in numbers if each],
        type=conversion.concept(spm[4], table="0487"),
        subject=patient,
        receivedTime=conversion.date_time(spm, 18),
        collection=said(
            collectedDateTime=None if end else start,
            collectedPeriod=said(start=start, end=end) if end else None,
            method=conversion.concept(spm[7], table="0488"),
            bodySite=conversion.concept(spm[8]),
        ),
    )
    key = f"{number[2] or number[3] or conversion.assigner}|{number[1]}"
    return conversion.add("Specimen", key, content)


def _interpreter(value: Composite, conversion: Conversion) -> Json | None:
    """Return the person of an NDL: a CNN in its first component, or, as often sent, an XCN in its place."""
    if not value:
        return None
    inner = value.sub(1)
    return practitioner(inner if inner[2] else value, conversion)


def _listed(value: Json | None) -> list[Json]:
    return [value] if value else []
