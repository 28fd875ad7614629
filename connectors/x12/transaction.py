"""One stored message read as text: its delimiters, its envelope and the segments of its transaction set."""

from __future__ import annotations

from dataclasses import dataclass, field

from connectors.x12.tokenizer import Delimiters, read_header
from hub_core.errors import UnreadableError


@dataclass(slots=True)
class Segment:
    """A segment of a transaction set; elements are asked for by their number in the standard, `segment[1]` is NM101.

    Not frozen, and never changed: a file has a hundred thousand, and frozen ones take twice as long to make.
    """

    ordinal: int
    """Its number in the set, ST being 1: what a 999 says in IK302."""
    elements: list[str]
    delimiters: Delimiters

    @property
    def name(self) -> str:
        """The segment identifier: `NM1`."""
        return self.elements[0]

    def __getitem__(self, number: int) -> str:
        """Return element `number`, empty when it is absent."""
        elements = self.elements
        return elements[number] if number < len(elements) else ""

    def components(self, number: int) -> list[str]:
        """Return the components of element `number`."""
        return self[number].split(self.delimiters.component)

    def place(self, number: int | None = None) -> str:
        """Return where this is: `CLM02, segment 19`."""
        element = f"{number:02}" if number else ""
        return f"{self.name}{element}, segment {self.ordinal}"


@dataclass(frozen=True, slots=True)
class Transaction:
    """One transaction set and the envelope it came in; elements of the envelope that are absent are empty."""

    delimiters: Delimiters
    interchange: tuple[str, ...]
    """ISA00 to ISA16."""
    group: Segment | None = None
    segments: list[Segment] = field(default_factory=list)
    """ST to SE, or what there is of them."""
    group_trailer: Segment | None = None
    interchange_trailer: Segment | None = None
    acknowledgement: Segment | None = None
    """The TA1 of a message that has no set."""

    @property
    def header(self) -> Segment | None:
        """The ST segment."""
        return self.segments[0] if self.segments else None

    @property
    def trailer(self) -> Segment | None:
        """The SE segment."""
        return self.segments[-1] if len(self.segments) > 1 and self.segments[-1].name == "SE" else None

    @property
    def set_id(self) -> str:
        """ST01: `837`; empty when there is no set."""
        return self.header[1].strip() if self.header else ""

    @property
    def version(self) -> str:
        """The implementation the set is written to: GS08, else ST03."""
        stated = self.group[8].strip() if self.group else ""
        return stated or (self.header[3].strip() if self.header else "")

    @property
    def control_id(self) -> str:
        """ISA13/GS06/ST02: the sender's number of the set."""
        parts = (self.interchange[13], self.group[6] if self.group else "", self.header[2] if self.header else "")
        return "/".join(part.strip() for part in parts)


def read_transaction(body: bytes, only: tuple[str, ...] = ()) -> Transaction:
    """Return the one transaction set in `body`.

    Args:
        body: the message.
        only: beginnings of the segments to read, for who needs few of many; all when empty.

    Raises:
        UnreadableError: if `body` does not begin with a readable ISA header.
    """
    begin = body.find(b"ISA")
    header = read_header(body[begin : begin + 160]) if 0 <= begin <= 4096 else None
    if header is None:
        raise UnreadableError("the interchange header cannot be read", location="ISA")
    delimiters, interchange, length = header
    lines = _lines(body[begin + length :], delimiters)
    wanted = [line for line in lines if line.startswith(only)] if only else lines
    return _gather(delimiters, interchange, wanted)


def _lines(body: bytes, delimiters: Delimiters) -> list[str]:
    """Return the segments as text, without control characters that are no delimiters.

    Line breaks wrap the file and say nothing; others belong to no character set of X12, and databases refuse them.
    """
    text = decoded(body)
    marks = (delimiters.terminator, delimiters.element, delimiters.component, delimiters.repetition)
    for character in _CONTROLS:
        if character in text and character not in marks:
            text = text.replace(character, "")
    return [line.lstrip(_BLANK) for line in text.split(delimiters.terminator)]


def decoded(body: bytes) -> str:
    """Return `body` as text: UTF-8 when it is, else the Latin-1 of older senders."""
    try:
        return body.decode()
    except UnicodeDecodeError:
        return body.decode("latin-1")


def _gather(delimiters: Delimiters, interchange: tuple[str, ...], lines: list[str]) -> Transaction:
    envelope: dict[str, Segment] = {}
    segments: list[Segment] = []
    element = delimiters.element
    for line in lines:
        elements = line.split(element)
        name = elements[0].rstrip()
        if name in _ENVELOPE:
            envelope.setdefault(name, Segment(0, elements, delimiters))
        elif name or len(elements) > 1:
            segments.append(Segment(len(segments) + 1, elements, delimiters))
    return Transaction(
        delimiters,
        interchange,
        envelope.get("GS"),
        segments,
        envelope.get("GE"),
        envelope.get("IEA"),
        envelope.get("TA1"),
    )


_CONTROLS = "".join(map(chr, (*range(32), 127)))
_BLANK = " \t\r\n\0\x1a"
_ENVELOPE = frozenset({"GS", "GE", "IEA", "TA1"})
