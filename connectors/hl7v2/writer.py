"""Writes the answer to a message: ACK in original and enhanced mode (chapter 2, section 2.9), errors with their places.

Nothing here knows the time or makes up ids: both are given, so that the same answer is written again byte for byte.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from enum import Enum

from connectors.connector import Issue
from connectors.hl7v2.escapes import escape_text
from connectors.hl7v2.tokenizer import Delimiters, Message, parse
from hub_core.errors import UnreadableError

_HEADER_BYTES = 1 << 16
_PLACE = re.compile(r"(\w{3})(?:\[(\d+)\])?(?:-(\d+)(?:\[(\d+)\])?(?:\.(\d+))?)?\Z")
_ERRORS = {
    "structure": ("100", "Segment sequence error"),
    "required": ("101", "Required field missing"),
    "value": ("102", "Data type error"),
    "code-invalid": ("103", "Table value not found"),
    "not-supported": ("200", "Unsupported message type"),
    "duplicate": ("205", "Duplicate key identifier"),
}
"""FHIR issue type to table 0357."""
_INTERNAL = ("207", "Application internal error")
_SEVERITIES = {"fatal": "F", "error": "E", "warning": "W", "information": "I"}
_ERROR_SEGMENT_SINCE = (2, 5)
"""HL7 v2.5 gave ERR a field for each part of an error; before, ERR-1 held them all."""


class Verdict(Enum):
    """What becomes of the sender's message, as the letters of the second half of an acknowledgement code."""

    ACCEPTED = "A"
    ERROR = "E"
    """It cannot be taken as it is; the same message sent again would fare the same."""
    REJECTED = "R"
    """It could not be taken now, or is no message at all."""


def acknowledge(body: bytes, verdict: Verdict, *, at: datetime, control_id: str, issues: Iterable[Issue] = ()) -> bytes:
    """Return the answer to the message in `body`; empty where its sender wants none.

    In original mode that is AA, AE or AR. In enhanced mode (MSH-15 or MSH-16 valued) it is the commit answer CA, CE or
    CR if MSH-15 wants it; a sender that declines it, but wants the application's answer by MSH-16, gets AA, AE or AR
    at once rather than none.

    Args:
        body: the message answered, readable or not.
        verdict: what became of it.
        at: the time of the answer (aware).
        control_id: the answer's own id (MSH-10).
        issues: what is wrong, told in ERR segments.
    """
    try:
        message = parse(_header_line(body))
    except UnreadableError as error:
        found = Issue("error", error.code, error.text, error.location)
        return _answer(None, f"A{Verdict.REJECTED.value}", at, control_id, (found,))
    accept, application = message.header.text(15).upper(), message.header.text(16).upper()
    if not accept and not application:
        return _answer(message, f"A{verdict.value}", at, control_id, issues)
    if _wanted(accept, verdict):
        return _answer(message, f"C{verdict.value}", at, control_id, issues)
    if _wanted(application, verdict):
        return _answer(message, f"A{verdict.value}", at, control_id, issues)
    return b""


def acknowledge_application(
    body: bytes, verdict: Verdict, *, at: datetime, control_id: str, issues: Iterable[Issue] = ()
) -> bytes:
    """Return the application answer that follows a commit answer, after the mapping; empty where MSH-16 declines it."""
    message = parse(_header_line(body))
    if not _wanted(message.header.text(16).upper(), verdict):
        return b""
    return _answer(message, f"A{verdict.value}", at, control_id, issues)


def _header_line(body: bytes) -> bytes:
    """Return the MSH segment of `body`: an answer needs no more, and a large message is not read twice."""
    lines = body[:_HEADER_BYTES].lstrip(b"\xef\xbb\xbf\x0b\r\n\t ").splitlines()
    return lines[0] if lines else b""


def _wanted(condition: str, verdict: Verdict) -> bool:
    """Return whether table 0155 asks for an answer: always, on error, on success; anything else is never."""
    accepted = verdict is Verdict.ACCEPTED
    return {"AL": True, "ER": not accepted, "SU": accepted}.get(condition, False)


def _answer(message: Message | None, code: str, at: datetime, control_id: str, issues: Iterable[Issue]) -> bytes:
    delimiters = message.delimiters if message else Delimiters.of("|", "^~\\&")
    version = message.header.text(12) if message else "2.5.1"
    errors = [issue for issue in issues if issue.severity in ("fatal", "error")]
    lines = [
        _header(message, delimiters, version, at, control_id),
        delimiters.field.join(("MSA", code, message.header.raw(10) if message else "")),
        *(_error(issue, delimiters, version) for issue in errors),
    ]
    text = "\r".join(lines) + "\r"
    return text.encode(message.codec if message else "utf-8", "replace")


def _header(message: Message | None, delimiters: Delimiters, version: str, at: datetime, control_id: str) -> str:
    header = message.header if message else None
    encoding = header.raw(2) if header else "^~\\&"
    event = header[9][2] if header else ""
    kind = ["ACK"] if not event else ["ACK", event, "ACK"] if _release(version) > (2, 3) else ["ACK", event]
    fields = [""] * 19
    fields[0:3] = ["MSH", "", encoding]
    if header is not None:
        fields[3:7] = [header.raw(number) for number in (5, 6, 3, 4)]
        fields[11], fields[18] = header.raw(11), header.raw(18)
    fields[7] = at.strftime("%Y%m%d%H%M%S%z")
    fields[9] = delimiters.component.join(kind)
    fields[10] = escape_text(control_id, delimiters.escape, delimiters.letters)
    fields[11] = fields[11] or "P"
    fields[12] = header.raw(12) if header and header.raw(12) else version
    del fields[1]
    while not fields[-1]:
        fields.pop()
    return delimiters.field.join(fields)


def _error(issue: Issue, delimiters: Delimiters, version: str) -> str:
    number, meaning = _ERRORS.get(issue.code, _INTERNAL)
    place = _PLACE.match(issue.location)
    segment, ordinal, field, repetition, component = place.groups(default="") if place else ("", "", "", "", "")
    ordinal = ordinal or ("1" if segment else "")
    if _release(version) < _ERROR_SEGMENT_SINCE:
        code = delimiters.subcomponent.join((number, meaning, "HL70357"))
        return delimiters.field.join(("ERR", delimiters.component.join((segment, ordinal, field, code))))
    parts = [segment, ordinal, field, repetition or ("1" if field else ""), component]
    location = delimiters.component.join(parts).rstrip(delimiters.component)
    code = delimiters.component.join((number, meaning, "HL70357"))
    text = escape_text(issue.text, delimiters.escape, delimiters.letters)
    return delimiters.field.join(("ERR", "", location, code, _SEVERITIES[issue.severity], "", "", "", text))


def _release(version: str) -> tuple[int, ...]:
    """Return a version (`2.5.1`) as numbers; one that is none counts as 2.5."""
    parts = version.split(".")
    if not all(part.isascii() and part.isdigit() and len(part) < 4 for part in parts):
        return _ERROR_SEGMENT_SINCE
    return tuple(int(part) for part in parts)
