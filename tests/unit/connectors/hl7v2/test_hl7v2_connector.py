"""The connector as the house sees it: envelopes, states, checks, and never an exception."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from connectors.connector import Connector
from connectors.hl7v2.connector import HL7v2Connector
from tests.unit.connectors.hl7v2.samples import ORIGIN, PID, message, outcome

CONNECTOR: Connector = HL7v2Connector()


def test_envelope_holds_everyone_the_message_is_about() -> None:
    """Patient, merged patient and mother, so that their messages stay in order."""
    pid = "PID|1||MR1^^^RIVERBEND~2^^^STATE||Okafor" + "|" * 16 + "M7^^^RIVERBEND"
    envelope = CONNECTOR.envelope(message(pid, "MRG|MR9^^^RIVERBEND", kind="ADT^A40^ADT_A39"), ORIGIN)
    assert envelope.kind == "ADT^A40"
    assert envelope.control_id == "C1"
    assert envelope.keys == ("RIVERBEND|MR1", "STATE|2", "RIVERBEND|M7", "RIVERBEND|MR9")


@pytest.mark.parametrize(
    ("time", "sent_at"),
    [
        ("20240310144512", datetime(2024, 3, 10, 21, 45, 12, tzinfo=UTC)),
        ("20240310144512-0500", datetime(2024, 3, 10, 19, 45, 12, tzinfo=UTC)),
        ("202403101445", datetime(2024, 3, 10, 21, 45, tzinfo=UTC)),
        ("", None),
        ("yesterday", None),
    ],
)
def test_envelope_tells_when_the_message_was_sent(time: str, sent_at: datetime | None) -> None:
    """In the zone of the origin, unless MSH-7 has one."""
    assert CONNECTOR.envelope(message(PID, time=time), ORIGIN).sent_at == sent_at


@pytest.mark.parametrize("tail", ["", "|||||8859/1"])
def test_envelope_is_the_same_however_much_of_the_message_had_to_be_read(tail: str) -> None:
    """Only of the usual form (ASCII, segments ended by CR) less than the whole is read."""
    segments = (
        "EVN|A40|20240101",
        r"PID|1||M\F\1^^^RIVER&1.2&ISO~2^^^STATE||Okafor",
        "NTE|1||PID|x",
        "MRG|MR9^^^RIVER",
    )
    body = message(*segments, kind="ADT^A40", tail=tail)
    envelope = CONNECTOR.envelope(body, ORIGIN)
    assert envelope.keys == ("RIVER|M|1", "STATE|2", "RIVER|MR9")
    for other in (body.replace(b"\r", b"\r\n"), b"\x0b" + body, body.replace(b"|x", b"|\xe9"), body + b"ZZZ|1\r"):
        assert CONNECTOR.envelope(other, ORIGIN) == envelope


@pytest.mark.parametrize("body", [b"", b"\x00\xff", b"hello", b"MSH", b"BHS|^~\\&|A\r"])
def test_unreadable_messages_are_rejected_with_a_reason(body: bytes) -> None:
    """Never raises."""
    assert CONNECTOR.envelope(body, ORIGIN).kind == "unreadable"
    found = outcome(body)
    assert (found.kind, found.state) == ("unreadable", "rejected")
    assert found.issues[0].text
    assert [issue.severity for issue in CONNECTOR.check(body)] == ["error"]


@pytest.mark.parametrize("kind", ["ORM^O01", "ACK", "MFN^M02", "QRY^A19", "DFT^P11"])
def test_types_that_are_not_mapped_are_filtered_and_named(kind: str) -> None:
    """They are stored, and will be mapped by a later version."""
    found = outcome(message(PID, kind=kind))
    assert found.state == "filtered"
    assert kind in found.issues[0].text


@pytest.mark.parametrize(
    ("body", "location"),
    [
        (message(PID, kind=""), "MSH-9"),
        (message("EVN|A01|2024"), "PID"),
        (message("PID|1||||Okafor"), "PID-3"),
        (message(PID, kind="ADT^A40"), "MRG"),
        (message(PID, kind="SIU^S12"), "SCH"),
    ],
)
def test_messages_about_nobody_are_rejected(body: bytes, location: str) -> None:
    """With the place where something is missing."""
    found = outcome(body)
    assert found.state == "rejected"
    assert found.issues[-1].location == location
    assert found.facts == ()


def test_no_issue_repeats_what_a_patient_said() -> None:
    """Issues are shown and logged: they name places, not values."""
    body = message("PID|1||SECRET-ID||SECRET-NAME||SECRET-DATE|SECRET-SEX", "OBX|1|NM|||SECRET-VALUE|||||SECRET")
    issues = [*outcome(body).issues, *CONNECTOR.check(body)]
    assert issues
    assert not any("SECRET" in issue.text + issue.location for issue in issues)


@pytest.mark.parametrize(
    ("segment", "place"),
    [
        ("PID|x||MR1||Okafor", "PID-1"),
        ("PID|1||MR1||Okafor||1984-02", "PID-7"),
        ("PID|1||MR1||Okafor|||Q", "PID-8"),
        ("PID|1||MR1", "PID-5"),
        ("OBX|1|NM|1^X||abc||||||F", "OBX-5"),
        ("OBX|1|NM|1^X||1~abc||||||F", "OBX-5[2]"),
        ("OBX|1||1^X||abc||||||F", "OBX-2"),
        ("RXA|0|1|soon||03|1", "RXA-3"),
        ("lower|1", "lower"),
    ],
)
def test_check_names_the_place(segment: str, place: str) -> None:
    """Types, required fields and HL7's own tables."""
    body = message("EVN|A01|20240310", PID, segment)
    places = [issue.location.replace("PID[2]", "PID") for issue in CONNECTOR.check(body)]
    assert places == [place]


def test_check_of_a_good_message_is_silent() -> None:
    """A false alarm costs trust."""
    body = message("EVN|A01|20240310", PID, "PV1|1|I", "OBX|1|ST|1^X||a||||||F", "ZXX|anything")
    assert list(CONNECTOR.check(body)) == []


def test_check_asks_for_the_segments_of_the_type() -> None:
    """Without them there is nothing to map."""
    issues = list(CONNECTOR.check(message(kind="ADT^A40")))
    assert [issue.location for issue in issues] == ["EVN", "PID", "MRG"]
