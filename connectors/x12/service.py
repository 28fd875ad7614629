"""A service as claims and remittances name it: procedure with its modifiers, and the provider's number of the line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from connectors.connector import Issue
from connectors.x12.code_systems import LINE_NUMBER, modifier, procedure
from connectors.x12.loops import Loop
from connectors.x12.transaction import Segment
from hub_core.fhir.canonical import Json


def service_of(service: Segment, element: int = 1) -> Json:
    """Return procedure and modifiers of a composite like SV101 or SVC01: qualifier, code, up to four modifiers.

    A composite without a code, often one written with another separator than ISA16 declares, stays as text.
    """
    qualifier, code, *modifiers = (*(part.strip() for part in service.components(element)), "")
    if not code:
        return {"productOrService": {"text": service[element].strip() or "not stated"}}
    concept: Json = {"productOrService": {"coding": [procedure(qualifier, code)]}}
    stated = [modifier(each) for each in modifiers[:4] if each]
    return concept | ({"modifier": stated} if stated else {})


def service_issues(loops: Iterable[Loop], segment_name: str, loop_name: str) -> Iterator[Issue]:
    """Yield an issue for each line in `loops` whose service (SV101, SVC01) states no code."""
    for loop in loops:
        for service in loop.all(segment_name):
            mark = service.delimiters.component
            if not service[1].partition(mark)[2].strip(mark + " "):
                text = f"the service has no code; ISA16 says that {mark!r} separates qualifier and code"
                yield Issue("warning", "value", text, f"{loop_name} {service.place(1)}")


def line_number(line: Loop) -> list[Json]:
    """Return the provider's number of the line (REF*6R), which a remittance repeats, as an extension of its item."""
    reference = line.segment("REF", "6R")
    value = reference[2].strip() if reference else ""
    return [{"url": LINE_NUMBER, "valueString": value}] if value else []
