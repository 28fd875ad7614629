"""The HL7 v2 connector: recognises, cuts, and converts messages to FHIR facts by their type and event."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from connectors.connector import Envelope, Issue, Origin, Outcome, Piece, Refusal
from connectors.hl7v2 import checking, cutting
from connectors.hl7v2.conversion import Conversion
from connectors.hl7v2.events import mapper_of
from connectors.hl7v2.patient import patient_key
from connectors.hl7v2.tokenizer import Message, parse
from hub_core.errors import UnreadableError

MAPPING_VERSION = "hl7v2-2"
"""Changes whenever the same bytes would give other facts."""

_IDENTIFIER_FIELDS = (("PID", 3), ("PID", 2), ("PID", 21), ("MRG", 1))
_NAMING = re.compile(rb"\r(?:PID|MRG)[^\r]*")
_NO_MESSAGE_TYPE = Issue("error", "required", "there is no message type", "MSH-9")


class HL7v2Connector:
    """HL7 v2.x in pipe-and-hat encoding (ER7)."""

    format = "hl7v2"
    mapping_version = MAPPING_VERSION

    def recognises(self, head: bytes) -> bool:
        """Return whether bytes that begin with `head` look like HL7 v2."""
        return cutting.recognises(head)

    def cut(self, stream: BinaryIO, *, limit: int) -> Iterator[Piece | Refusal]:
        """Yield the messages of a stream: MLLP frames, batches, or messages one after another."""
        return cutting.cut(stream, limit=limit)

    def envelope(self, body: bytes, origin: Origin) -> Envelope:
        """Return the type, control id and patients of a message; kind `unreadable` where it has no header."""
        try:
            message = _message(_outline(body))
        except UnreadableError:
            return Envelope("unreadable")
        conversion = Conversion(message, origin)
        keys = {
            patient_key(value, conversion): None
            for segment in message.segments
            for name, number in _IDENTIFIER_FIELDS
            if segment.name == name
            for value in segment.repetitions(number)
            if value[1]
        }
        sent_at = conversion.clock.moment(message.header.text(7))
        return Envelope(message.kind or "unknown", message.header.text(10) or None, tuple(keys), sent_at)

    def convert(self, body: bytes, origin: Origin) -> Iterator[Outcome]:
        """Yield what became of the one message in `body`."""
        try:
            message = _message(body)
        except UnreadableError as error:
            yield Outcome(1, "unreadable", "rejected", issues=(_issue(error),))
            return
        yield _convert(message, origin)

    def check(self, body: bytes) -> Iterator[Issue]:
        """Yield every issue of one message."""
        try:
            message = _message(body)
        except UnreadableError as error:
            yield _issue(error)
            return
        yield from checking.check(message)


def _outline(body: bytes) -> bytes:
    """Return the segments that tell a message's type, number and patients, which is all that an envelope needs read.

    Where lines could end otherwise, or bytes mean what the whole tells, that is the whole message.
    """
    if not body.startswith(b"MSH") or b"\n" in body or not body.isascii():
        return body
    return b"".join((body.partition(b"\r")[0], *_NAMING.findall(body)))


def _message(body: bytes) -> Message:
    message = parse(body)
    if message.header.name != "MSH":
        raise UnreadableError("the message does not begin with an MSH segment", location="MSH")
    return message


def _convert(message: Message, origin: Origin) -> Outcome:
    kind = message.kind
    if not kind:
        return Outcome(1, "unknown", "rejected", issues=(*message.issues, _NO_MESSAGE_TYPE))
    mapper = mapper_of(kind)
    if mapper is None:
        text = f"messages of type {kind} are stored, but not mapped to FHIR"
        return Outcome(
            1, kind, "filtered", issues=(*message.issues, Issue("information", "not-supported", text, "MSH-9"))
        )
    conversion = Conversion(message, origin)
    try:
        mapper(conversion)
    except UnreadableError as error:
        return Outcome(1, kind, "rejected", issues=(*conversion.issues, _issue(error)))
    return Outcome(1, kind, "processed", conversion.facts, tuple(conversion.issues))


def _issue(error: UnreadableError) -> Issue:
    return Issue("error", error.code, error.text, error.location)
