"""Small invented messages that the tests of this folder vary."""

from __future__ import annotations

from connectors.connector import Origin, Outcome
from connectors.hl7v2.connector import HL7v2Connector
from hub_core.fhir.canonical import Json

ORIGIN = Origin("riverbend", "riverbend-main", "America/Los_Angeles")
PID = "PID|1||MR1^^^RIVERBEND^MR||Okafor^Adaeze||19840229|F"


def message(*segments: str, kind: str = "ADT^A01", time: str = "20240310144512", tail: str = "") -> bytes:
    """Return a message of type `kind` with these segments after its MSH."""
    header = rf"MSH|^~\&|APP|RIVERBEND|HUB|WHOLECHART|{time}||{kind}|C1|P|2.5.1{tail}"
    return "\r".join((header, *segments)).encode() + b"\r"


def outcome(body: bytes, origin: Origin = ORIGIN) -> Outcome:
    """Return what becomes of the message in `body`."""
    (found,) = HL7v2Connector().convert(body, origin)
    return found


def resources(body: bytes, resource_type: str, origin: Origin = ORIGIN) -> list[Json]:
    """Return the resources of one type that `body` becomes."""
    facts = outcome(body, origin).facts
    return [fact.resource for fact in facts if fact.resource["resourceType"] == resource_type]


def resource(body: bytes, resource_type: str, origin: Origin = ORIGIN) -> Json:
    """Return the only resource of one type that `body` becomes."""
    (found,) = resources(body, resource_type, origin)
    return found
