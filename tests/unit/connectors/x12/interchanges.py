"""Interchanges written by the tests, and outcomes as plain JSON to compare."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

from connectors.connector import Origin, Outcome, Piece, Refusal
from connectors.x12.connector import X12Connector

if TYPE_CHECKING:
    from hub_core.fhir.canonical import Json

ORIGIN = Origin("maple", zone="America/Chicago")
LIMIT = 1 << 20
ISA = "ISA*00*          *00*          *ZZ*SENDER         *ZZ*RECEIVER       *250401*0930*^*00501*000000101*0*P*:~"
CLAIM_VERSION, REMITTANCE_VERSION = "005010X222A1", "005010X221A1"


def interchange(*sets: str, version: str = CLAIM_VERSION) -> bytes:
    """Return an interchange of one group with `sets`, each from ST to SE."""
    group = f"GS*HC*SENDER*RECEIVER*20250401*0930*11*X*{version}~"
    return "".join((ISA, group, *sets, f"GE*{len(sets)}*11~IEA*1*000000101~")).encode()


def transaction_set(*segments: str, st01: str = "837", control: str = "0001") -> str:
    """Return `segments` between ST and an SE that counts right."""
    return "".join(f"{each}~" for each in (f"ST*{st01}*{control}", *segments, f"SE*{len(segments) + 2}*{control}"))


def cut(body: bytes, limit: int = LIMIT) -> list[Piece | Refusal]:
    """Return what the connector cuts from `body`."""
    return list(X12Connector().cut(BytesIO(body), limit=limit))


def convert(body: bytes) -> Outcome:
    """Return the one outcome of a message."""
    (outcome,) = X12Connector().convert(body, ORIGIN)
    return outcome


def resources(outcome: Outcome, resource_type: str) -> list[Json]:
    """Return the resources of one type."""
    return [fact.resource for fact in outcome.facts if fact.resource["resourceType"] == resource_type]


def outcome_as_json(outcome: Outcome) -> Json:
    """Return an outcome as golden files write it."""
    return {
        "kind": outcome.kind,
        "state": outcome.state,
        "issues": [f"{issue.severity}: {issue.location}: {issue.text}" for issue in outcome.issues],
        "facts": [
            {
                "source_id": fact.source_id,
                "event_at": fact.event_at.isoformat() if fact.event_at else None,
                "authority": fact.authority.name,
                "resource": fact.resource,
            }
            for fact in outcome.facts
        ],
    }
