"""A stream of FHIR JSON is cut into documents and pieces of NDJSON, broken parts told apart and nothing lost."""

from __future__ import annotations

import io
import json

import pytest

from connectors.connector import Piece, Refusal
from connectors.fhir import cutting

PATIENT = b'{"resourceType":"Patient","id":"p1"}'
LIMIT = 1 << 20


def cut(text: bytes, limit: int = LIMIT) -> list[Piece | Refusal]:
    return list(cutting.cut(io.BytesIO(text), limit=limit))


def positions(text: bytes, limit: int = LIMIT) -> list[tuple[int, int]]:
    return [(piece.position, piece.records) for piece in cut(text, limit) if isinstance(piece, Piece)]


@pytest.mark.parametrize("head", [PATIENT, b"\xef\xbb\xbf" + PATIENT, b' \r\n {\n  "resourceType"', b"{", b"{}"])
def test_json_objects_are_recognised(head: bytes) -> None:
    assert cutting.recognises(head)


@pytest.mark.parametrize("head", [b"", b"[{}]", b"{1:4:MSH}", b"MSH|^~\\&|", b"ISA*00*", b"<Patient/>", b"\xff\xfe{\0"])
def test_other_content_is_not(head: bytes) -> None:
    assert not cutting.recognises(head)


@pytest.mark.parametrize(
    "text",
    [
        PATIENT,
        PATIENT + b"\n",
        json.dumps(json.loads(PATIENT), indent=2).encode(),
        b'{"resourceType":"Bundle","entry":[\n{"resource":{"resourceType":"Patient"}}\n]}',
        b"\xef\xbb\xbf" + PATIENT,
        b'{\n "resourceType": "Patient",\n "id": \n',
        b"{ broken",
    ],
)
def test_one_document_is_one_piece_however_it_is_laid_out(text: bytes) -> None:
    assert cut(text) == [Piece(text, 1, 1)]


def test_ndjson_is_cut_at_256_lines_and_positions_are_line_numbers() -> None:
    pieces = cut(b"".join(b'{"n":%d}\n' % number for number in range(1, 601)))
    assert [(piece.position, piece.records) for piece in pieces if isinstance(piece, Piece)] == [
        (1, 256),
        (257, 256),
        (513, 88),
    ]
    assert b"".join(piece.body for piece in pieces if isinstance(piece, Piece)).count(b"\n") == 600


def test_ndjson_is_cut_before_a_mebibyte_and_longer_lines_stand_alone() -> None:
    long = b'{"t":"' + b"x" * 700_000 + b'"}\n'
    longest = b'{"t":"' + b"x" * 1_500_000 + b'"}\n'
    short = b'{"t":""}\n'
    assert positions(long + long + short + longest + short, 1 << 24) == [(1, 1), (2, 2), (4, 1), (5, 1)]


def test_a_line_over_the_limit_is_refused_and_the_others_are_read() -> None:
    text = b"\n".join([PATIENT, b'{"t":"' + b"x" * 500_000 + b'"}', PATIENT, PATIENT])
    found = cut(text, limit=1000)
    assert [type(each) for each in found] == [Piece, Refusal, Piece]
    assert positions(text, 1000) == [(1, 1), (3, 2)]
    refusal = found[1]
    assert isinstance(refusal, Refusal)
    assert (refusal.position, refusal.issue.code, refusal.issue.location) == (2, "too-long", "line 2")


def test_a_document_over_the_limit_is_refused_once() -> None:
    text = json.dumps({"resourceType": "Bundle", "entry": [{"n": n} for n in range(1000)]}, indent=1).encode()
    (refusal,) = cut(text, limit=1000)
    assert isinstance(refusal, Refusal)
    assert refusal.issue.code == "too-long"


def test_a_line_too_long_is_never_held() -> None:
    class Endless(io.RawIOBase):
        """Gives a line of 200 MB, and fails when asked for more than a little of it at once."""

        left = 200 << 20

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
            size = min(len(buffer), self.left)
            assert size <= 1 << 16
            self.left -= size
            buffer[:size] = b"{" * size
            return size

    (refusal,) = cutting.cut(io.BufferedReader(Endless(), 1 << 16), limit=1 << 16)
    assert isinstance(refusal, Refusal)


def test_blank_lines_are_no_records_but_count_as_lines() -> None:
    text = b"\n\r\n" + PATIENT + b"\n\n  \n" + PATIENT + b"\n\n"
    (piece,) = cut(text)
    assert isinstance(piece, Piece)
    assert (piece.position, piece.records) == (3, 2)
    assert [number for number, _ in cutting.lines(piece.body)] == [1, 4]


def test_broken_lines_among_good_ones_stay_lines() -> None:
    broken = b'{"resourceType":"Patient",'
    assert positions(b"\n".join([broken, PATIENT, b"garbage", PATIENT])) == [(1, 4)]
    assert positions(b"\n".join([PATIENT, broken, broken])) == [(1, 3)]


def test_a_stretch_without_any_good_line_is_cut_line_by_line_so_that_counts_add_up() -> None:
    text = b"\n".join([PATIENT] * 256 + [b"{broken"] * 3 + [b""])
    assert positions(text) == [(1, 256), (257, 1), (258, 1), (259, 1)]


def test_nothing_gives_nothing() -> None:
    assert cut(b"") == []
    assert cut(b"\n \n") == []
