r"""The lossless reading of one HL7 v2 message: bytes -> segments, fields, components -> the same bytes.

Segments and fields are split at once, components and subcomponents when touched, escapes resolved when read, because
most of a message is never looked at. Nothing is validated and nothing is dropped: unknown segments, Z segments, blank
lines, what stands before MSH and odd line ends are all kept, so `encode(parse(body)) == body` for any message.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping

from connectors.connector import Issue
from connectors.hl7v2.charset import decode
from connectors.hl7v2.escapes import unescape
from hub_core.errors import UnreadableError

NULL = '""'
"""Two double quotes: "delete what you have" (chapter 2, section 2.5.3), not an empty text."""

HEADERS = frozenset({"MSH", "FHS", "BHS"})
"""Segments whose first field is the field separator itself."""

_LEAD = "\ufeff\x0b\r\n\t "
_TAIL = "\r\n\x1c"
_LINE_END = re.compile(r"\r\n|\r|\n")
_PATH = re.compile(r"(\w{3})(?:\[(\d+)\])?-(\d+)(?:\[(\d+)\])?(?:\.(\d+)(?:\.(\d+))?)?\Z")
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


@dataclasses.dataclass(frozen=True, slots=True)
class Delimiters:
    """The characters that structure a message, as its MSH-1 and MSH-2 say."""

    field: str = "|"
    component: str = "^"
    repetition: str = "~"
    escape: str = "\\"
    subcomponent: str = "&"
    truncation: str = ""
    letters: Mapping[str, str] = dataclasses.field(default_factory=dict, compare=False)
    """What the one-letter escape sequences stand for."""

    @classmethod
    def of(cls, separator: str, encoding: str) -> Delimiters:
        """Return the delimiters that MSH-1 `separator` and MSH-2 `encoding` declare; what is left out is the usual."""
        given = [*encoding[:5], *"^~\\&"[len(encoding) :]]
        component, repetition, escape, subcomponent = given[:4]
        truncation = given[4] if len(given) > 4 else ""
        letters = {"F": separator, "S": component, "R": repetition, "E": escape, "T": subcomponent}
        if truncation:
            letters["P"] = truncation
        return cls(separator, component, repetition, escape, subcomponent, truncation, letters)


class Reading:
    """How the values of one message are read: what its segments and fields know of it, so that none holds the whole."""

    __slots__ = ("clean", "codec", "delimiters", "plain", "subdivided")

    def __init__(self, body: str, lines: list[str], delimiters: Delimiters, codec: str) -> None:
        """Look through `body`, the text of a message in these lines, for what makes reading its values slow."""
        self.codec = codec
        self.delimiters = delimiters
        self.clean: bool = self._is_clean(body, lines)
        """Whether every value stands in the text as it is read: most messages, and most of the time spent on them."""
        self.subdivided: bool = body.count(delimiters.subcomponent) > 1
        """Whether there may be subcomponents: their separator occurs after MSH-2."""
        self.plain: bool = self.clean and not self.subdivided

    def _is_clean(self, body: str, lines: list[str]) -> bool:
        return (
            NULL not in body
            and body.count(self.delimiters.escape) <= 1
            and not self._has_edge_blanks(body)
            and all(map(str.isprintable, lines))
        )

    def _has_edge_blanks(self, body: str) -> bool:
        """Return whether a value begins or ends with a blank; one look for either, all separators being made alike."""
        delimiters = self.delimiters
        bar = delimiters.field
        for separator in (delimiters.component, delimiters.repetition, delimiters.subcomponent, "\r", "\n"):
            body = body.replace(separator, bar)
        return f" {bar}" in body or f"{bar} " in body or body.endswith(" ")

    def text(self, raw: str) -> str:
        """Return what `raw` says: escapes resolved, the explicit null and control characters gone, edges trimmed."""
        if raw == NULL:
            return ""
        if self.delimiters.escape in raw:
            raw = unescape(raw, self.delimiters.escape, self.delimiters.letters, self.codec)
        if not raw.isprintable():
            raw = _CONTROLS.sub("", raw)
        return raw.strip()


class Composite:
    """One repetition of a field; components are split when the first is asked for."""

    __slots__ = ("_parts", "_reading", "raw")

    def __init__(self, raw: str, reading: Reading) -> None:
        """Wrap `raw`, one repetition as it stands in the message."""
        self.raw = raw
        self._reading = reading
        self._parts: list[str] | None = None

    def __bool__(self) -> bool:
        """Return whether it says anything: neither empty nor the explicit null."""
        return self.raw not in ("", NULL)

    def __len__(self) -> int:
        """Return how many components it has."""
        return len(self.parts)

    @property
    def parts(self) -> list[str]:
        """The components as they stand in the message."""
        if self._parts is None:
            self._parts = self.raw.split(self._reading.delimiters.component)
        return self._parts

    def __getitem__(self, number: int) -> str:
        """Return component `number` (1-based) as text: its first subcomponent, unescaped; `""` where absent."""
        parts = self._parts or self.parts
        if number > len(parts):
            return ""
        raw = parts[number - 1]
        reading = self._reading
        if reading.plain or not raw:
            return raw
        if reading.subdivided:
            raw = raw.split(reading.delimiters.subcomponent, 1)[0]
        return raw if reading.clean else reading.text(raw)

    def component(self, number: int) -> str:
        """Return component `number` as it stands in the message."""
        parts = self._parts or self.parts
        return parts[number - 1] if number <= len(parts) else ""

    def whole(self, number: int) -> str:
        """Return component `number` as one text, subcomponent separators in it taken literally."""
        parts = self._parts or self.parts
        raw = parts[number - 1] if number <= len(parts) else ""
        return raw if self._reading.clean else self._reading.text(raw)

    def sub(self, number: int) -> Composite:
        """Return component `number` as a composite of its subcomponents."""
        inner = Composite(self.component(number), self._reading)
        inner._parts = inner.raw.split(self._reading.delimiters.subcomponent)
        return inner

    @property
    def text(self) -> str:
        """The whole repetition as one text, separators in it taken literally."""
        return self._reading.text(self.raw)


_NOTHING = Composite("", Reading("", [], Delimiters(), "utf-8"))
"""The one value of all fields that are not there."""


class Segment:
    """One segment: its name and its fields, `fields[3]` being field 3 as it stands in the message."""

    __slots__ = ("fields", "name", "ordinal", "reading")

    def __init__(self, fields: list[str], reading: Reading, ordinal: int) -> None:
        """Take the split `fields` of the `ordinal`-th segment of its name in a message."""
        self.fields = fields
        self.name = fields[0]
        if self.name in HEADERS:
            fields.insert(1, reading.delimiters.field)
        self.reading = reading
        self.ordinal = ordinal

    def raw(self, number: int) -> str:
        """Return field `number` as it stands in the message; `""` where the segment is shorter."""
        return self.fields[number] if number < len(self.fields) else ""

    def __getitem__(self, number: int) -> Composite:
        """Return the first repetition of field `number`."""
        raw = self.fields[number] if number < len(self.fields) else ""
        reading = self.reading
        if not raw:
            return _NOTHING
        repetition = reading.delimiters.repetition
        return Composite(raw.split(repetition, 1)[0] if repetition in raw else raw, reading)

    def text(self, number: int) -> str:
        """Return the first component of the first repetition of field `number`, unescaped."""
        if number >= len(self.fields) or not (raw := self.fields[number]):
            return ""
        reading = self.reading
        delimiters = reading.delimiters
        raw = raw.split(delimiters.repetition, 1)[0].split(delimiters.component, 1)[0]
        if reading.subdivided:
            raw = raw.split(delimiters.subcomponent, 1)[0]
        return raw if reading.clean else reading.text(raw)

    def repetitions(self, number: int) -> list[Composite]:
        """Return the repetitions of field `number` that say something."""
        raw = self.fields[number] if number < len(self.fields) else ""
        if not raw or raw == NULL:
            return []
        reading = self.reading
        if reading.delimiters.repetition not in raw:
            return [Composite(raw, reading)]
        return [Composite(part, reading) for part in raw.split(reading.delimiters.repetition) if part not in ("", NULL)]

    def place(self, number: int = 0, repetition: int = 1, component: int = 0) -> str:
        """Return the path of a place in this segment: `PID-3[2].4`, `OBX[7]-5`."""
        place = self.name if self.ordinal == 1 else f"{self.name}[{self.ordinal}]"
        if not number:
            return place
        place += f"-{number}" if repetition == 1 else f"-{number}[{repetition}]"
        return f"{place}.{component}" if component else place

    def encode(self) -> str:
        """Return the line this segment was read from."""
        separator = self.reading.delimiters.field
        if self.name in HEADERS:
            return separator.join([self.name, *self.fields[2:]])
        return separator.join(self.fields)


class Message:
    """One message as a tree of segments, with all that is needed to write the same bytes again."""

    __slots__ = ("codec", "delimiters", "ends", "issues", "lead", "reading", "segments", "tail")

    def __init__(self, text: str, codec: str, issues: tuple[Issue, ...] = ()) -> None:
        """Split `text`, which was decoded by `codec`.

        Raises:
            UnreadableError: if it does not begin with a message header that declares delimiters.
        """
        self.codec = codec
        self.issues = issues
        self.lead = text[: len(text) - len(text.lstrip(_LEAD))]
        start = len(self.lead)
        self.delimiters = _delimiters(text, start)
        end = max(start, len(text.rstrip(_TAIL)))
        self.tail = text[end:]
        body = text[start:end]
        lines, self.ends = _lines(body, self.delimiters)
        self.reading = Reading(body, lines, self.delimiters, codec)
        seen: dict[str, int] = {}
        self.segments: list[Segment] = []
        for line in lines:
            fields = line.split(self.delimiters.field)
            ordinal = seen[fields[0]] = seen.get(fields[0], 0) + 1
            self.segments.append(Segment(fields, self.reading, ordinal))

    @property
    def header(self) -> Segment:
        """The MSH segment."""
        return self.segments[0]

    @property
    def kind(self) -> str:
        """Message type and trigger event, `ADT^A01`; one of them where MSH-9 has no more."""
        kind = self.header[9]
        return f"{kind[1]}^{kind[2]}" if kind[2] else kind[1]

    def first(self, name: str) -> Segment | None:
        """Return the first segment called `name`."""
        return next(self.all(name), None)

    def all(self, name: str) -> Iterator[Segment]:
        """Yield the segments called `name`, in order."""
        return (segment for segment in self.segments if segment.name == name)

    def value(self, path: str) -> str:
        """Return the text at a path such as `PID-3[2].4` or `OBX[2]-5`; `""` where there is none.

        Raises:
            ValueError: if `path` is not one.
        """
        found = _PATH.match(path)
        if not found:
            raise ValueError(f"not a path into a message: {path}")
        ordinal, number, repetition = int(found[2] or 1), int(found[3]), int(found[4] or 1)
        segment = next((each for each in self.all(found[1]) if each.ordinal == ordinal), None)
        if segment is None:
            return ""
        if segment.name in HEADERS and number <= 2:
            return segment.raw(number)
        parts = segment.raw(number).split(self.delimiters.repetition)
        if repetition > len(parts):
            return ""
        composite = Composite(parts[repetition - 1], self.reading)
        if not found[5]:
            return composite.text
        return composite.sub(int(found[5]))[int(found[6])] if found[6] else composite[int(found[5])]

    def encode(self) -> bytes:
        """Return the bytes this message was read from."""
        lines = [segment.encode() for segment in self.segments]
        if isinstance(self.ends, str):
            body = self.ends.join(lines)
        else:
            body = "".join(line + end for line, end in zip(lines, [*self.ends, ""], strict=True))
        return (self.lead + body + self.tail).encode(self.codec)


def parse(body: bytes) -> Message:
    """Return the message in `body`.

    Raises:
        UnreadableError: if it does not begin with a message header that declares delimiters.
    """
    decoded = decode(body)
    return Message(decoded.text, decoded.codec, (decoded.issue,) if decoded.issue else ())


def _delimiters(text: str, start: int) -> Delimiters:
    if text[start : start + 3] not in HEADERS:
        raise UnreadableError("the message does not begin with an MSH segment", location="MSH")
    header = text[start + 3 : start + 16]
    separator = header[:1]
    if not separator or separator.isalnum() or separator in "\r\n ":
        raise UnreadableError("there is no field separator after the segment name", location="MSH-1")
    encoding = _LINE_END.split(header[1:].split(separator, 1)[0])[0]
    known = _KNOWN.get((separator, encoding))
    if known is not None:
        return known
    characters = separator + encoding
    if len(characters) < 2 or len(characters) > 6 or len(set(characters)) < len(characters) or _odd(encoding):
        raise UnreadableError("these are not two to five different encoding characters", location="MSH-2")
    return Delimiters.of(separator, encoding)


def _odd(encoding: str) -> bool:
    return any(character.isalnum() or character in " \r\n" for character in encoding)


DOUBLED = "^~\\\\&"
"""The usual encoding characters with the escape character written twice, as careless programs send them."""

_KNOWN = {("|", encoding): Delimiters.of("|", encoding) for encoding in ("^~\\&", "^~\\&#")}
_KNOWN["|", DOUBLED] = _KNOWN["|", "^~\\&"]


def _lines(text: str, delimiters: Delimiters) -> tuple[list[str], str | list[str]]:
    """Return the lines and their ends: one end where all are the same, else each its own.

    Where a message ends its segments by CR, an LF inside a field is data: it ends a segment only before another one.
    """
    if "\n" not in text:
        return text.split("\r"), "\r"
    if "\r" not in text:
        return text.split("\n"), "\n"
    if text.count("\r\n") == text.count("\n") == text.count("\r"):
        return text.split("\r\n"), "\r\n"
    ends = re.compile(rf"\r\n?|\n(?=[A-Z][A-Z0-9]{{2}}{re.escape(delimiters.field)})|\n\Z")
    return ends.split(text), ends.findall(text)
