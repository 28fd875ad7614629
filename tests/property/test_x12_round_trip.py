"""Whatever the delimiters and however the stream arrives, no byte is lost and the same messages are cut."""

from __future__ import annotations

from io import BytesIO

from hypothesis import given
from hypothesis import strategies as st

from connectors.connector import Piece
from connectors.x12.connector import X12Connector
from connectors.x12.cutting import cut
from connectors.x12.tokenizer import tokenise
from tests.unit.connectors.x12.interchanges import ORIGIN, interchange, transaction_set

MARKS = [chr(code) for code in range(1, 127) if not chr(code).isalnum() and chr(code) not in " \t\r\x1a-./"]
delimiters = st.lists(st.sampled_from(MARKS), min_size=4, max_size=4, unique=True).filter(
    lambda marks: not marks[0].isspace() and marks[1] != "\n"
)
"""Element, component, terminator, repetition: a line break may end a segment, it cannot separate inside one."""
gaps = st.sampled_from([b"", b"\n", b"\r\n", b"\xef\xbb\xbf", b"\x1a", b"  \n\n", b"a line of text\n"])
contents = st.lists(st.text("ABC019 -.", max_size=12), max_size=6)
sets = st.lists(contents, min_size=1, max_size=4)


def written(marks: list[str], texts: list[list[str]]) -> bytes:
    """Return an interchange with these delimiters whose sets hold `texts` in NTE segments."""
    made = [transaction_set(*(f"NTE*ADD*{text}" for text in each)) for each in texts]
    table = dict(zip("*:~^", marks, strict=True))
    return "".join(table.get(character, character) for character in interchange(*made).decode()).encode()


@given(delimiters, sets, gaps, gaps)
def test_joined_again_the_segments_are_the_stream(
    marks: list[str], texts: list[list[str]], before: bytes, after: bytes
) -> None:
    body = before + written(marks, texts) + after
    segments = list(tokenise(BytesIO(body), limit=1 << 20))
    assert b"".join(segment.raw for segment in segments) == body
    assert sum(segment.name == "NTE" for segment in segments) == sum(map(len, texts))


@given(st.binary(max_size=400), st.integers(1, 64))
def test_no_bytes_make_it_fail_or_lose_one(body: bytes, chunk: int) -> None:
    stream = interchange(transaction_set("BHT*1"))[:150] + body
    segments = list(tokenise(BytesIO(stream), limit=1 << 20, chunk=chunk))
    assert b"".join(segment.raw for segment in segments) == stream


@given(delimiters, sets, gaps, st.integers(1, 300), st.integers(200, 3000))
def test_cutting_does_not_depend_on_how_the_stream_arrives(
    marks: list[str], texts: list[list[str]], gap: bytes, chunk: int, limit: int
) -> None:
    body = gap + written(marks, texts) + gap + written(marks, texts[:1])
    assert list(cut(BytesIO(body), limit=limit, chunk=chunk)) == list(cut(BytesIO(body), limit=limit))


@given(delimiters, sets)
def test_every_set_becomes_one_message_with_its_text(marks: list[str], texts: list[list[str]]) -> None:
    pieces = [each for each in cut(BytesIO(written(marks, texts)), limit=1 << 20) if isinstance(each, Piece)]
    assert [piece.body.count(b"NTE" + marks[0].encode()) for piece in pieces] == [len(each) for each in texts]


@given(st.binary(max_size=300), st.integers(0, 400))
def test_conversion_never_raises(noise: bytes, place: int) -> None:
    whole = interchange(transaction_set("BHT*0019*00*1*20250401*0930*CH", "HL*1**20*1", "CLM*1*2***11:B:1"))
    body = whole[:place] + noise + whole[place:]
    connector = X12Connector()
    connector.envelope(body, ORIGIN)
    assert len(list(connector.convert(body, ORIGIN))) == 1
    list(connector.check(body))
