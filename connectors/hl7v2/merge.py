"""Merges (A18, A30, A34, A36, A39, A40) to the surviving Patient, the merged one, and a Linkage that lasts.

A later update of either patient overwrites its `link`; the Linkage is written by merges only, so it remains the fact.
Two records stay two resources, so that the merge can be undone.
"""

from __future__ import annotations

from collections.abc import Iterator

from connectors.connector import Authority
from connectors.hl7v2.conversion import Conversion, said
from connectors.hl7v2.datatypes import identifier, names
from connectors.hl7v2.patient import add_patient, patient_key, record_number
from connectors.hl7v2.tokenizer import Segment
from hub_core.errors import UnreadableError


def map_merge(conversion: Conversion) -> None:
    """State what a merge message says, for each pair of PID and MRG in it.

    Raises:
        UnreadableError: if there is no pair, or one of its patients is not identified.
    """
    found = False
    for pid, pd1, mrg in pairs(conversion.message.segments):
        found = True
        _add_merge(pid, pd1, mrg, conversion)
    if not found:
        raise UnreadableError("there is no PID followed by an MRG segment", location="MRG", code="required")


def pairs(segments: list[Segment]) -> Iterator[tuple[Segment, Segment | None, Segment]]:
    """Yield each MRG with the PID and PD1 before it."""
    pid: Segment | None = None
    pd1: Segment | None = None
    for segment in segments:
        if segment.name == "PID":
            pid, pd1 = segment, None
        elif segment.name == "PD1":
            pd1 = segment
        elif segment.name == "MRG" and pid is not None:
            yield pid, pd1, segment


def _add_merge(pid: Segment, pd1: Segment | None, mrg: Segment, conversion: Conversion) -> None:
    prior = record_number([value for number in (1, 4, 2) for value in mrg.repetitions(number)])
    if prior is None:
        raise UnreadableError("the merged patient has no identifier", location=mrg.place(1), code="required")
    survivor_key, survivor = add_patient(pid, conversion, Authority.FULL, pd1)
    merged_key = patient_key(prior, conversion)
    if merged_key == survivor_key:
        conversion.note("warning", "business-rule", "a patient is merged into itself; nothing is linked", mrg.place(1))
        return
    identifiers = (identifier(value, conversion) for value in mrg.repetitions(1) or [prior])
    content = said(
        identifier=[each for each in identifiers if each],
        active=False,
        name=names(mrg, 7),
        link=[{"other": survivor, "type": "replaced-by"}],
    )
    merged = conversion.add("Patient", merged_key, content, Authority.STUB)
    items = [{"type": "source", "resource": survivor}, {"type": "alternate", "resource": merged}]
    conversion.add("Linkage", f"{survivor_key}|replaces|{merged_key}", {"active": True, "item": items})
