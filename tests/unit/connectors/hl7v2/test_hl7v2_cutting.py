"""Cutting streams: frames, batches, bare messages, and what is none of these."""

from __future__ import annotations

import io

import pytest

from connectors.connector import Piece, Refusal
from connectors.hl7v2 import cutting
from connectors.hl7v2.framing import Fault, Frame, FrameDecoder, frame
from tests.unit.connectors.hl7v2.samples import PID, message

ONE = message(PID)
TWO = message(PID.replace("MR1", "MR2"))


def cut(data: bytes, limit: int = 1 << 20) -> list[Piece | Refusal]:
    """Return the pieces of `data`."""
    return list(cutting.cut(io.BytesIO(data), limit=limit))


def bodies(data: bytes) -> list[bytes]:
    """Return the messages of `data`, of which all must be messages."""
    pieces = cut(data)
    assert all(isinstance(piece, Piece) for piece in pieces)
    return [piece.body for piece in pieces if isinstance(piece, Piece)]


@pytest.mark.parametrize(
    "data",
    [
        frame(ONE) + frame(TWO),
        frame(ONE) + b"\r\n\r\n" + frame(TWO) + b"\n",
        ONE + TWO,
        b"\xef\xbb\xbf\r\n" + ONE + b"\r\n\r\n" + TWO,
        b"FHS|^~\\&|A\rBHS|^~\\&|A\r" + ONE + TWO + b"BTS|2\rFTS|1\r",
        b"FHS|^~\\&|A\r" + frame(ONE)[1:-2] + TWO + b"BTS",
        frame(b"BHS|^~\\&|A\r" + ONE + TWO + b"BTS|2\r"),
    ],
)
def test_both_messages_come_out(data: bytes) -> None:
    """However they are put together."""
    assert [body.strip(b"\r\n") for body in bodies(data)] == [ONE.strip(), TWO.strip()]


def test_positions_count_records_and_refusals() -> None:
    """A reject is named by its place in the input."""
    pieces = cut(frame(ONE) + b"noise" + frame(TWO))
    assert [(type(piece), piece.position) for piece in pieces] == [(Piece, 1), (Refusal, 2), (Piece, 3)]


def test_truncated_frame_is_refused_with_its_place() -> None:
    """The last message of a broken connection is not half a message."""
    pieces = cut(frame(ONE) + b"\x0b" + TWO[:40])
    refusal = pieces[1]
    assert isinstance(refusal, Refusal)
    assert refusal.issue.location == f"byte {len(frame(ONE))}"
    assert "0x1C" in refusal.issue.text


def test_frame_inside_a_frame() -> None:
    """The first has no end; the second is whole."""
    pieces = cut(b"\x0b" + ONE[:30] + frame(TWO))
    assert [type(piece) for piece in pieces] == [Refusal, Piece]


@pytest.mark.parametrize("data", [b"", b"\r\n \r\n"])
def test_empty_input_is_one_refusal(data: bytes) -> None:
    """One clear line."""
    (refusal,) = cut(data)
    assert isinstance(refusal, Refusal)
    assert "empty" in refusal.issue.text


def test_text_that_is_no_message() -> None:
    """A comment before the first message is refused, the message is not."""
    pieces = cut(b"exported on Monday\n" + ONE)
    assert [type(piece) for piece in pieces] == [Refusal, Piece]


@pytest.mark.parametrize("framed", [True, False])
def test_oversize_message_is_refused_and_the_next_one_taken(framed: bool) -> None:
    """Never more than the limit is held; what follows is unharmed."""
    huge = message("OBX|1|TX|1||" + "x" * 900_000)
    data = frame(huge) + frame(TWO) if framed else huge + TWO
    first, second = cut(data, limit=5_000)
    assert isinstance(first, Refusal)
    assert first.issue.code == "too-long"
    assert isinstance(second, Piece)
    assert second.body.strip() == TWO.strip()


def test_a_200_mb_line_is_never_held() -> None:
    """Reads in chunks, and keeps none of a message that is too long."""

    class Endless(io.RawIOBase):
        left = 200

        def read(self, size: int = -1) -> bytes:
            self.left -= 1
            return b"MSH|^~\\&|" + b"x" * (1 << 20) if self.left == 199 else b"x" * (1 << 20) if self.left >= 0 else b""

    (refusal,) = cutting.cut(Endless(), limit=1 << 21)  # type: ignore[arg-type]
    assert isinstance(refusal, Refusal)
    assert refusal.issue.code == "too-long"


@pytest.mark.parametrize(
    ("head", "known"),
    [
        (b"MSH|^~\\&|", True),
        (b"\x0bMSH|^~\\&|", True),
        (b"\xef\xbb\xbf\r\nFHS|^~\\&", True),
        (b"BHS|^~\\&", True),
        (b"MSHAPE", False),
        (b"ISA*00*", False),
        (b'{"resourceType"', False),
        (b"", False),
    ],
)
def test_recognition(head: bytes, known: bool) -> None:
    """By what the bytes say, not by a file name."""
    assert cutting.recognises(head) is known


def test_decoder_tells_faults_by_offset() -> None:
    """Offsets count from the start of the stream, over all chunks."""
    decoder = FrameDecoder(100)
    events = [*decoder.feed(b"\x0bab"), *decoder.feed(b"c\x1c"), *decoder.feed(b"\rjunk\x0bx\x1c\r"), *decoder.close()]
    assert events == [Frame(b"abc"), Fault("4 bytes outside any frame", 5), Frame(b"x")]
