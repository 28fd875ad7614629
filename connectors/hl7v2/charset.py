"""Decodes a message by the character set its MSH-18 declares (HL7 table 0211), losing no byte."""

from __future__ import annotations

from dataclasses import dataclass

from connectors.connector import Issue

_CODECS = {
    "": "utf-8",
    "ASCII": "utf-8",
    "UNICODE": "utf-8",
    "UNICODE UTF-8": "utf-8",
    "UTF-8": "utf-8",
    "UTF8": "utf-8",
    "8859/1": "iso8859-1",
    "8859/2": "iso8859-2",
    "8859/3": "iso8859-3",
    "8859/4": "iso8859-4",
    "8859/5": "iso8859-5",
    "8859/6": "iso8859-6",
    "8859/7": "iso8859-7",
    "8859/8": "iso8859-8",
    "8859/9": "iso8859-9",
    "8859/15": "iso8859-15",
    "ISO IR87": "iso2022_jp",
    "ISO IR159": "iso2022_jp_1",
    "GB 18030-2000": "gb18030",
    "KS X 1001": "euc_kr",
    "BIG-5": "big5",
}
"""HL7 table 0211 and the spellings senders use; ASCII is read as UTF-8, which holds it."""

FALLBACKS = ("utf-8", "cp1252", "iso8859-1")
"""Tried in turn when the declared set does not fit; the last one fits any bytes."""

_HEADER_LIMIT = 4096


@dataclass(frozen=True, slots=True)
class Decoded:
    """A message's text and the codec that turns it back into the same bytes."""

    text: str
    codec: str
    issue: Issue | None = None


def decode(body: bytes) -> Decoded:
    """Return the text of `body`; what MSH-18 declares wins, unless the bytes contradict it."""
    if body.isascii() and b"\x1b" not in body:
        return Decoded(body.decode("ascii"), "utf-8")
    declared = _declared(body)
    codec = _CODECS.get(declared)
    if codec is not None and (text := _lossless(body, codec)) is not None:
        return Decoded(text, codec)
    for fallback in FALLBACKS:
        if (text := _lossless(body, fallback)) is not None:
            return Decoded(text, fallback, _contradiction(declared, codec, fallback))
    raise AssertionError("ISO 8859-1 decodes any bytes")


def _declared(body: bytes) -> str:
    start = body.find(b"MSH", 0, _HEADER_LIMIT)
    if start < 0:
        return ""
    header = body[start : start + _HEADER_LIMIT].splitlines()[0]
    fields = header.split(header[3:4]) if len(header) > 4 else []
    if len(fields) < 18:
        return ""
    return fields[17].split(b"~")[0].strip().decode("ascii", "replace").upper()


def _lossless(body: bytes, codec: str) -> str | None:
    try:
        text = body.decode(codec)
        return text if text.encode(codec) == body else None
    except UnicodeError:
        return None


def _contradiction(declared: str, codec: str | None, used: str) -> Issue:
    if codec is None:
        text = f"the character set is not one of HL7 table 0211 that is supported here; read as {used}"
    else:
        said = declared or "no character set, so UTF-8"
        text = f"the bytes are not what the message declares ({said}); read as {used}"
    return Issue("warning", "value", text, "MSH-18")
