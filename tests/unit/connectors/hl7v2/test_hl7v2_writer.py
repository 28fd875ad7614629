"""The answer to a message: original and enhanced mode, errors with their places, in the sender's own encoding."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from connectors.connector import Issue
from connectors.hl7v2.tokenizer import parse
from connectors.hl7v2.writer import Verdict, acknowledge, acknowledge_application
from tests.unit.connectors.hl7v2.samples import PID, message

AT = datetime(2024, 3, 10, 22, 0, 5, tzinfo=UTC)


def answer(body: bytes, verdict: Verdict = Verdict.ACCEPTED, *issues: Issue) -> bytes:
    """Return the answer to `body`."""
    return acknowledge(body, verdict, at=AT, control_id="W1", issues=issues)


def test_original_mode() -> None:
    """Sender and receiver change places; MSA-2 is the sender's control id."""
    assert answer(message(PID)) == (
        b"MSH|^~\\&|HUB|WHOLECHART|APP|RIVERBEND|20240310220005+0000||ACK^A01^ACK|W1|P|2.5.1\rMSA|AA|C1\r"
    )


@pytest.mark.parametrize(
    ("accept", "verdict", "code"),
    [
        ("AL", Verdict.ACCEPTED, "CA"),
        ("AL", Verdict.ERROR, "CE"),
        ("ER", Verdict.REJECTED, "CR"),
        ("SU", Verdict.ACCEPTED, "CA"),
    ],
)
def test_enhanced_mode(accept: str, verdict: Verdict, code: str) -> None:
    """MSH-15 asks for a commit answer."""
    body = message(PID, tail=f"|||{accept}|NE")
    assert parse(answer(body, verdict)).value("MSA-1") == code


@pytest.mark.parametrize(
    ("accept", "verdict"), [("NE", Verdict.ERROR), ("ER", Verdict.ACCEPTED), ("SU", Verdict.ERROR)]
)
def test_no_answer_where_none_is_wanted(accept: str, verdict: Verdict) -> None:
    """An empty answer sends nothing."""
    assert answer(message(PID, tail=f"|||{accept}|NE"), verdict) == b""


@pytest.mark.parametrize("accept", ["", "NE"])
def test_sender_that_wants_only_the_application_answer_gets_it(accept: str) -> None:
    """`NE|AL` is what many systems are set to: silence would make them send again for ever."""
    assert parse(answer(message(PID, tail=f"|||{accept}|AL"))).value("MSA-1") == "AA"


def test_application_answer_of_enhanced_mode() -> None:
    """MSH-16 decides, after the mapping."""
    body = message(PID, tail="|||AL|AL")
    found = acknowledge_application(body, Verdict.ERROR, at=AT, control_id="W2")
    assert parse(found).value("MSA-1") == "AE"
    silent = message(PID, tail="|||AL|NE")
    assert acknowledge_application(silent, Verdict.ERROR, at=AT, control_id="W2") == b""


def test_errors_name_their_place() -> None:
    """ERR-2 is the location, ERR-3 the code of table 0357; warnings are not errors."""
    issues = (
        Issue("error", "required", "a required field is empty", "PID[2]-3[2].4"),
        Issue("warning", "value", "not told", "PID-7"),
    )
    found = parse(answer(message(PID), Verdict.ERROR, *issues))
    assert [segment.name for segment in found.segments] == ["MSH", "MSA", "ERR"]
    assert found.value("ERR-2") == "PID^2^3^2^4"
    assert found.value("ERR-3.1") == "101"
    assert found.value("ERR-4") == "E"


def test_errors_before_version_2_5() -> None:
    """ERR-1 held place and code together."""
    body = message(PID).replace(b"2.5.1", b"2.3")
    found = parse(answer(body, Verdict.ERROR, Issue("error", "value", "x", "PID-7")))
    assert found.value("MSH-9") == "ACK^A01"
    assert found.value("ERR-1.4") == "102"


@pytest.mark.parametrize("body", [b"", b"GET / HTTP/1.1", b"MSH|"])
def test_what_is_no_message_is_rejected(body: bytes) -> None:
    """In the usual encoding, with no control id to name."""
    found = parse(answer(body))
    assert (found.value("MSA-1"), found.value("MSA-2")) == ("AR", "")
    assert found.value("ERR-3.1") == "100"


def test_delimiters_of_the_sender() -> None:
    """Text that holds them is escaped."""
    body = b"MSH!$%?@!APP!FAC!!!2024!!ADT$A01!7!P!2.5\r"
    found = answer(body, Verdict.ERROR, Issue("error", "value", "hm! $5?", "PID-7"))
    assert found.startswith(b"MSH!$%?@!!!APP!FAC!")
    assert parse(found).value("ERR-8") == "hm! $5?"


def test_answer_is_the_same_again() -> None:
    """Time and id are given, nothing else varies."""
    assert answer(message(PID)) == answer(message(PID))
