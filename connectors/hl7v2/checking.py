"""Checks one message: header, required segments and fields, data types and HL7's own tables, issues with their places.

The messages of unknown types are checked as far as their segments are known. An error says that a receiver may refuse
the message or lose something of it; a warning, that it is read, but not as the standard has it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

from connectors.connector import Issue
from connectors.hl7v2.structures import (
    FIELD_TYPES,
    MERGE_EVENTS,
    REQUIRED_FIELDS,
    REQUIRED_SEGMENTS,
    TABLES,
    VERSIONS,
)
from connectors.hl7v2.timestamps import Clock, zone_named
from connectors.hl7v2.tokenizer import DOUBLED, Message, Segment
from connectors.hl7v2.values import decimal

_SEGMENT_NAME: Final = re.compile(r"[A-Z][A-Z0-9]{2}\Z")
_CLOCK: Final = Clock(zone_named("UTC"))
_TYPES: Final[dict[str, tuple[Callable[[str], object], str]]] = {
    "SI": (lambda text: text.isascii() and text.isdigit(), "not a sequence number (SI)"),
    "NM": (lambda text: decimal(text) is not None, "not a number (NM)"),
    "TS": (lambda text: _CLOCK.date_time(text), "not a date or time (YYYYMMDDHHMMSS)"),
}
_OBSERVED: Final = {"NM": "NM", "DT": "TS", "TS": "TS", "DTM": "TS"}
"""OBX-2 of values that are checked."""


def check(message: Message) -> Iterator[Issue]:
    """Yield the issues of `message`, in the order of its text."""
    yield from message.issues
    yield from _check_header(message)
    for segment in message.segments:
        yield from _check_segment(segment)
    yield from _missing_segments(message)


def _check_header(message: Message) -> Iterator[Issue]:
    header = message.header
    if header.raw(2) == DOUBLED:
        yield Issue("warning", "value", "the escape character is written twice", "MSH-2")
    version = header.text(12)
    if version and version not in VERSIONS:
        yield Issue("warning", "not-supported", "not a known version of HL7 v2", "MSH-12")
    if header.text(9) and not header[9][2] and header.text(9) != "ACK":
        yield Issue("warning", "required", "there is no trigger event", "MSH-9.2")


def _check_segment(segment: Segment) -> Iterator[Issue]:
    name = segment.name
    if not _SEGMENT_NAME.match(name):
        if segment.encode().strip():
            yield Issue("warning", "structure", "a line that begins with no segment name", segment.place()[:20])
        return
    for number in REQUIRED_FIELDS.get(name, ()):
        if not segment.raw(number):
            yield Issue("error", "required", "a required field is empty", segment.place(number))
    for number, kind in FIELD_TYPES.get(name, {}).items():
        yield from _check_type(segment, number, kind)
    for number, (table, codes) in TABLES.get(name, {}).items():
        code = segment.text(number)
        if code and code.upper() not in codes:
            yield Issue("warning", "code-invalid", f"not a code of table {table}", segment.place(number))
    if name == "OBX":
        yield from _check_observed(segment)


def _check_type(segment: Segment, number: int, kind: str) -> Iterator[Issue]:
    text = segment.text(number)
    fits, complaint = _TYPES[kind]
    if text and not fits(text):
        yield Issue("error", "value", complaint, segment.place(number))


def _check_observed(obx: Segment) -> Iterator[Issue]:
    if obx.raw(5) and not obx.raw(2):
        yield Issue("error", "required", "a value without its type", obx.place(2))
    kind = _OBSERVED.get(obx.text(2).upper())
    if kind is None:
        return
    fits, complaint = _TYPES[kind]
    for repetition, value in enumerate(obx.repetitions(5), start=1):
        if value[1] and not fits(value[1]):
            yield Issue("error", "value", complaint, obx.place(5, repetition))


def _missing_segments(message: Message) -> Iterator[Issue]:
    kind = message.header[9]
    names = {segment.name for segment in message.segments}
    required = [*REQUIRED_SEGMENTS.get(kind[1], ()), *(["MRG"] if kind[2] in MERGE_EVENTS else [])]
    for name in required:
        if name not in names:
            yield Issue("error", "required", f"a message of type {kind[1]} has a segment {name}", name)
