"""A stream is cut into transaction sets that stand alone, and what is left over is said."""

from __future__ import annotations

from io import BytesIO

from connectors.connector import Piece, Refusal
from connectors.x12.cutting import cut as cut_stream
from tests.unit.connectors.x12.interchanges import ISA, LIMIT, cut, interchange, transaction_set

ONE = transaction_set("BHT*0019*00*1*20250401*0930*CH")
TWO = transaction_set("BHT*0019*00*2*20250401*0930*CH", control="0002")


def bodies(body: bytes, limit: int = LIMIT) -> list[bytes]:
    return [each.body for each in cut(body, limit) if isinstance(each, Piece)]


def refusals(body: bytes, limit: int = LIMIT) -> list[Refusal]:
    return [each for each in cut(body, limit) if isinstance(each, Refusal)]


def test_a_single_set_is_stored_byte_for_byte() -> None:
    body = interchange(ONE).replace(b"~", b"~\r\n")
    assert bodies(body) == [body.rstrip()]
    assert refusals(body) == []


def test_each_of_several_sets_gets_the_envelope_as_found() -> None:
    first, second = bodies(interchange(ONE, TWO))
    for piece, own, other in ((first, ONE, TWO), (second, TWO, ONE)):
        assert piece.startswith(ISA.encode())
        assert own.encode() in piece
        assert other.encode() not in piece
        assert piece.endswith(b"GE*2*11~IEA*1*000000101~")


def test_positions_count_sets_through_all_interchanges() -> None:
    pieces = [each for each in cut(interchange(ONE, TWO) + b"\n" + interchange(ONE)) if isinstance(each, Piece)]
    assert [piece.position for piece in pieces] == [1, 2, 3]


def test_counts_of_trailers_that_are_wrong_are_said() -> None:
    body = interchange(ONE).replace(b"GE*1*", b"GE*9*").replace(b"IEA*1*", b"IEA*x*")
    assert [refusal.issue.location for refusal in refusals(body)] == ["GE01", "IEA01"]
    assert len(bodies(body)) == 1


def test_a_stream_that_breaks_off_keeps_what_came_and_says_so() -> None:
    body = interchange(ONE)[:-40]
    assert len(bodies(body)) == 1
    assert "IEA" in refusals(body)[-1].issue.text


def test_a_set_that_breaks_off_is_kept_with_its_bytes() -> None:
    (piece,) = bodies(interchange(ONE)[:170])
    assert piece == interchange(ONE)[:170]


def test_bytes_outside_an_interchange_are_refused_with_their_place() -> None:
    (refusal,) = refusals(b"Dear partner\n" + interchange(ONE))
    assert refusal.issue.location == "byte 1"
    assert "13 bytes" in refusal.issue.text


def test_segments_outside_a_set_are_one_refusal_however_many() -> None:
    body = interchange(ONE).replace(b"ST*", b"REF*1~SE*1~REF*2~ST*", 1)
    (refusal,) = refusals(body)
    assert "17 bytes" in refusal.issue.text
    assert len(bodies(body)) == 1


def test_a_stream_without_interchange_is_one_refusal() -> None:
    assert len(refusals(b"x" * 100_000)) == 1
    assert bodies(b"x" * 100_000) == []


def test_a_set_over_the_limit_is_refused_and_the_others_are_kept() -> None:
    large = transaction_set(*[f"NTE*ADD*{number}" for number in range(200)], control="0009")
    body = interchange(ONE, large, TWO)
    kept = bodies(body, limit=1000)
    assert [set_.encode() in piece for set_, piece in zip((ONE, TWO), kept, strict=True)] == [True, True]
    (refusal,) = refusals(body, limit=1000)
    assert (refusal.position, refusal.issue.code) == (2, "too-long")


def test_an_interchange_over_the_limit_is_passed_on_while_it_is_read() -> None:
    """Otherwise an endless interchange would fill the memory before its trailer comes."""
    stream = BytesIO(interchange(*[ONE] * 200))
    first = next(cut_stream(stream, limit=600, chunk=100))
    assert isinstance(first, Piece)
    assert stream.tell() < 2000


def test_acknowledgements_and_empty_interchanges_are_messages_too() -> None:
    acknowledgement = f"{ISA}TA1*000000101*250401*0930*A*000~IEA*0*000000101~".encode()
    assert bodies(acknowledgement) == [acknowledgement]
    assert bodies(f"{ISA}IEA*0*000000101~".encode()) == [f"{ISA}IEA*0*000000101~".encode()]
