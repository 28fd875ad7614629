"""HL7 v2 bytes to FHIR JSON: parsed, mapped, ids derived, serialised; the peers only parse."""

from __future__ import annotations

import hl7
from hl7apy.parser import parse_message

from benchmarks.inputs import hl7_messages
from benchmarks.measuring import Figure, Work, prefixed, take_turns
from connectors.connector import Origin
from connectors.hl7v2.connector import HL7v2Connector
from hub_core.fhir.canonical import dumps

_ORIGIN = Origin("bench", zone="America/Chicago")
_FOR_HL7APY = 12
"""Every so many messages go to hl7apy: it takes as long for them as the others for all."""


def measure(scale: float) -> Figure:
    """Return messages per CPU second of one core."""
    messages = hl7_messages()
    bodies = messages.items[: max(12, int(len(messages.items) * scale))]
    texts = [body.decode("ascii", "replace") for body in bodies]
    rates = take_turns(
        {
            "wholechart": lambda: _convert(bodies),
            "python-hl7 (parse only)": lambda: _parse(texts),
            "hl7apy (parse only)": lambda: _parse_typed(texts[::_FOR_HL7APY]),
        }
    )
    return Figure(
        benchmark="convert_hl7v2",
        unit="messages per CPU second",
        results=rates.cpu,
        input=f"{messages.name}: {len(bodies)} messages of {sum(map(len, bodies)) // len(bodies)} bytes",
        notes="wholechart: bytes to FHIR R4 JSON of every resource, ids derived, issues found. The peers parse to their"
        " own objects and map nothing.",
        details={"resources per message": _resources(bodies), **prefixed("wall, messages/s:", rates.wall)},
    )


def _convert(bodies: list[bytes]) -> Work:
    connector = HL7v2Connector()

    def work() -> int:
        for body in bodies:
            for outcome in connector.convert(body, _ORIGIN):
                for fact in outcome.facts:
                    dumps(fact.resource)
        return len(bodies)

    return work


def _parse(texts: list[str]) -> Work:
    def work() -> int:
        for text in texts:
            hl7.parse(text)
        return len(texts)

    return work


def _parse_typed(texts: list[str]) -> Work:
    def work() -> int:
        for text in texts:
            parse_message(text)
        return len(texts)

    return work


def _resources(bodies: list[bytes]) -> float:
    connector = HL7v2Connector()
    facts = sum(len(outcome.facts) for body in bodies for outcome in connector.convert(body, _ORIGIN))
    return round(facts / len(bodies), 2)
