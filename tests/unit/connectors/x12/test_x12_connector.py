"""What the connector says of a message before and beside its facts."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from connectors.connector import Connector
from connectors.x12.connector import X12Connector
from tests.unit.connectors.x12.interchanges import ISA, ORIGIN, convert, interchange, transaction_set

CONNECTOR: Connector = X12Connector()
CLAIM = transaction_set("BHT*0019*00*1*20250401*0930*CH", "NM1*IL*1*DOE*JO****MI*M1", "CLM*C1*10***11:B:1")


@pytest.mark.parametrize("before", [b"", b"\xef\xbb\xbf\n\n", b"Hello\n"])
def test_recognises_interchanges(before: bytes) -> None:
    assert CONNECTOR.recognises((before + interchange(CLAIM))[:4096])


@pytest.mark.parametrize("head", [b"", b"MSH|^~\\&|A|B", b'{"resourceType":"Patient"}', b"ISA hello", b"\xff" * 4096])
def test_recognises_nothing_else(head: bytes) -> None:
    assert not CONNECTOR.recognises(head)


def test_the_envelope_names_kind_numbers_and_whom_it_is_about() -> None:
    envelope = CONNECTOR.envelope(interchange(CLAIM), ORIGIN)
    assert envelope.kind == "837P"
    assert envelope.control_id == "000000101/11/0001"
    assert envelope.keys == ("member|M1", "claim|C1")


@pytest.mark.parametrize(
    ("group", "sent_at"),
    [
        ("20250402*093015", datetime(2025, 4, 2, 14, 30, 15, tzinfo=UTC)),
        ("20250402*0930", datetime(2025, 4, 2, 14, 30, tzinfo=UTC)),
        ("*", datetime(2025, 4, 1, 14, 30, tzinfo=UTC)),
    ],
)
def test_the_envelope_tells_when_it_was_sent(group: str, sent_at: datetime) -> None:
    """By the group's own date, else the interchange's, in the zone of the origin."""
    body = interchange(CLAIM).replace(b"RECEIVER*20250401*0930", b"RECEIVER*" + group.encode())
    assert CONNECTOR.envelope(body, ORIGIN).sent_at == sent_at


def test_nothing_readable_is_rejected_not_raised() -> None:
    assert CONNECTOR.envelope(b"garbage", ORIGIN).kind == "unreadable"
    assert convert(b"garbage").state == "rejected"
    assert [issue.severity for issue in CONNECTOR.check(b"garbage")] == ["error"]


@pytest.mark.parametrize(
    ("st01", "version", "kind"),
    [
        ("270", "005010X279A1", "270"),
        ("277", "005010X214", "277CA"),
        ("277", "005010X212", "277"),
        ("837", "005010X223A2", "837I"),
        ("837", "005010X224A2", "837D"),
        ("837", "004010X098A1", "837P"),
        ("999", "005010X231A1", "999"),
    ],
)
def test_sets_without_mapping_are_filtered_with_set_and_version(st01: str, version: str, kind: str) -> None:
    outcome = convert(interchange(transaction_set("BHT*1", st01=st01), version=version))
    assert (outcome.kind, outcome.state) == (kind, "filtered")
    assert version in outcome.issues[0].text


def test_an_interchange_acknowledgement_is_filtered() -> None:
    outcome = convert(f"{ISA}TA1*000000101*250401*0930*A*000~IEA*0*000000101~".encode())
    assert (outcome.kind, outcome.state) == ("TA1", "filtered")


def test_a_set_cut_short_is_rejected_with_its_place() -> None:
    outcome = convert(interchange(CLAIM)[:200])
    assert outcome.state == "rejected"
    assert outcome.issues[0].location.startswith("ST")


def test_control_numbers_that_differ_are_said() -> None:
    body = interchange(CLAIM).replace(b"SE*5*0001", b"SE*4*0002").replace(b"GE*1*11", b"GE*1*12")
    body = body.replace(b"IEA*1*000000101", b"IEA*1*000000109")
    assert {issue.location for issue in CONNECTOR.check(body)} >= {"SE01", "SE02", "GE02", "IEA02"}
