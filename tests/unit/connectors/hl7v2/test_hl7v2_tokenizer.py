r"""Reading a message without losing a byte: delimiters, line ends, character sets, escapes, paths."""

from __future__ import annotations

import pytest

from connectors.hl7v2.tokenizer import parse
from hub_core.errors import UnreadableError
from tests.unit.connectors.hl7v2.samples import PID, message


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
def test_line_ends_are_kept_as_found(end: str) -> None:
    """CR, LF and CRLF all end segments, and each is written back."""
    body = message(PID, "ZPI|own^data").replace(b"\r", end.encode())
    read = parse(body)
    assert [segment.name for segment in read.segments] == ["MSH", "PID", "ZPI"]
    assert read.encode() == body


def test_line_feed_inside_a_field_is_data_where_segments_end_by_cr() -> None:
    """A report pasted into OBX-5 keeps its lines; a real segment after an LF still begins one."""
    body = message("OBX|1|TX|1^N||first\nsecond", "PV1|1|I").replace(b"\rPV1", b"\nPV1")
    read = parse(body)
    assert [segment.name for segment in read.segments] == ["MSH", "OBX", "PV1"]
    assert read.value("OBX-5") == "first\nsecond"
    assert read.encode() == body


def test_own_delimiters() -> None:
    """MSH-1 and MSH-2 rule, not custom."""
    body = b"MSH!$%?@!APP!FAC!!!2024!!ADT$A01!7!P!2.5\rPID!!!a@b$c%d$e!!O?T?Neil\r"
    read = parse(body)
    assert read.kind == "ADT^A01"
    assert read.value("PID-3.1.2") == "b"
    assert read.value("PID-3[2].2") == "e"
    assert read.value("PID-5") == "O@Neil"
    assert read.encode() == body


def test_five_encoding_characters() -> None:
    r"""`^~\&#` (truncation, HL7 v2.7) is what every public-health message declares."""
    read = parse(message(PID).replace(b"^~\\&", b"^~\\&#"))
    assert read.delimiters.truncation == "#"
    assert read.value("MSH-2") == "^~\\&#"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (r"a\F\b\S\c\T\d\R\e\E\f", r"a|b^c&d~e\f"),
        (r"one\.br\two", "one\ntwo"),
        ("\\X41\\\\X42\\", "AB"),
        ("\\XC3A9\\t\\XC3A9\\", "été"),
        (r"\H\bold\N\ rest", "bold rest"),
        (r"C:\temp", r"C:\temp"),
        (r"\Zown\ x", r"\Zown\ x"),
        (r"\XFF\ is no UTF-8", r"\XFF\ is no UTF-8"),
    ],
)
def test_escape_sequences(written: str, meant: str) -> None:
    """What can be read is; what cannot stays as it was written."""
    assert parse(message(f"NTE|1||{written}")).value("NTE-3") == meant


def test_explicit_null_is_not_a_text() -> None:
    """Two quotes mean: delete."""
    read = parse(message('PID|1||""||""^Adaeze'))
    pid = read.first("PID")
    assert pid is not None
    assert not pid[3]
    assert pid.repetitions(3) == []
    assert (pid[5][1], pid[5][2]) == ("", "Adaeze")


@pytest.mark.parametrize(
    ("declared", "codec", "issue"),
    [
        ("8859/1", "iso8859-1", False),
        ("UNICODE UTF-8", "utf-8", False),
        ("", "utf-8", False),
        ("", "cp1252", True),
        ("ASCII", "cp1252", True),
        ("KLINGON", "utf-8", True),
    ],
)
def test_character_sets(declared: str, codec: str, issue: bool) -> None:
    """MSH-18 is believed as long as the bytes do not contradict it; a guess is told."""
    body = message("PID|1||1||Muñoz", tail=f"||||||{declared}").decode().encode(codec)
    read = parse(body)
    assert read.value("PID-5") == "Muñoz"
    assert bool(read.issues) is issue
    assert read.encode() == body


def test_control_characters_are_left_out_of_values() -> None:
    """A NUL in a name would be refused by every store behind; the bytes keep it."""
    body = message("PID|1||1||A\x00B")
    assert parse(body).value("PID-5") == "AB"
    assert parse(body).encode() == body


@pytest.mark.parametrize(
    "body", [b"", b"PID|1", b"MSH", b"MSHA^~\\&|x", b"MSH|\rPID|1", b"MSH|^^^^|a", b"\xff\xfe\x00"]
)
def test_what_is_no_message_is_refused(body: bytes) -> None:
    """One clear error, no guess."""
    with pytest.raises(UnreadableError):
        parse(body)


def test_values_by_path() -> None:
    """Paths name segments, repetitions, components and subcomponents; what is not there is empty."""
    read = parse(message("PID|1||1^^^A&1.2.3&ISO~2^^^B", "OBX|1", "OBX|2||x^y"))
    assert read.value("PID-3[2].4") == "B"
    assert read.value("PID-3.4.2") == "1.2.3"
    assert read.value("OBX[2]-3.2") == "y"
    assert read.value("OBX[3]-3") == ""
    assert read.value("PID-99") == ""
    with pytest.raises(ValueError, match="not a path"):
        read.value("PID.3")
