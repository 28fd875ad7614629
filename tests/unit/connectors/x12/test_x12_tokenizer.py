"""The tokenizer reads the delimiters an interchange declares and loses no byte."""

from __future__ import annotations

from io import BytesIO

import pytest

from connectors.x12.tokenizer import Delimiters, Segment, read_header, tokenise
from tests.unit.connectors.x12.interchanges import ISA, interchange, transaction_set

BODY = interchange(transaction_set("BHT*0019*00*1*20250401*0930*CH"))


def tokens(body: bytes, limit: int = 1 << 20, chunk: int = 1 << 16) -> list[Segment]:
    return list(tokenise(BytesIO(body), limit=limit, chunk=chunk))


def names(body: bytes) -> list[str]:
    return [segment.name for segment in tokens(body) if segment.raw.strip() and segment.name]


def test_reads_the_delimiters_of_the_header() -> None:
    header = read_header(ISA.encode())
    assert header is not None
    delimiters, elements, length = header
    assert delimiters == Delimiters("*", ":", "~", "^")
    assert (elements[13], length) == ("000000101", 106)


@pytest.mark.parametrize(
    "header",
    [
        "ISA*00*too short~",
        ISA.replace("*:~", "*AB"),  # letters are data, never delimiters
        ISA.replace("*:~", "*~~"),  # component and terminator must differ
        "NOT AN INTERCHANGE",
    ],
)
def test_refuses_headers_that_declare_no_usable_delimiters(header: str) -> None:
    assert read_header(header.encode()) is None


@pytest.mark.parametrize(
    "body",
    [
        BODY.replace(b"~", b"~\r\n"),
        BODY.replace(b"~", b"\n"),
        BODY.replace(b"~", b"\r\n"),
        BODY.replace(b"*", b"\x1d").replace(b":", b"\x1f").replace(b"~", b"\x1c"),
        b"\xef\xbb\xbf" + BODY,
        b"\n\r\n  " + BODY + b"\x1a",
        b"Dear partner, this is your file.\n\n" + BODY,
    ],
    ids=["crlf", "lf terminator", "cr terminator", "control characters", "mark", "blank lines", "letter"],
)
def test_finds_the_segments_however_they_are_written(body: bytes) -> None:
    assert names(body) == ["ISA", "GS", "ST", "BHT", "SE", "GE", "IEA"]
    assert b"".join(segment.raw for segment in tokens(body)) == body


def test_each_interchange_declares_its_own_delimiters() -> None:
    body = BODY + b"\n" + BODY.replace(b"*", b"|").replace(b"~", b"!")
    assert names(body) == names(BODY) * 2


def test_an_interchange_that_breaks_off_ends_where_the_next_begins_on_a_line() -> None:
    assert names(BODY[:-30] + b"\n" + BODY)[-7:] == names(BODY)


def test_a_segment_over_the_limit_is_let_go_with_its_size() -> None:
    body = BODY.replace(b"BHT*", b"BHT*" + b"x" * 5000)
    large = [segment for segment in tokens(body, limit=1000, chunk=64) if segment.size > len(segment.raw)]
    assert [(segment.name, segment.raw, segment.size > 5000) for segment in large] == [("", b"", True)]
    assert [segment.name for segment in tokens(body, limit=1000, chunk=64)][-3:] == ["SE", "GE", "IEA"]


def test_offsets_count_bytes_of_the_stream() -> None:
    for segment in tokens(b"\n" + BODY, chunk=7):
        assert (b"\n" + BODY)[segment.offset :].startswith(segment.raw)
