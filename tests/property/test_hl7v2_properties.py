"""What holds for every HL7 v2 message: nothing is lost in reading, escaping or cutting, and nothing raises."""

from __future__ import annotations

import io

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.connector import Origin, Piece
from connectors.hl7v2 import cutting
from connectors.hl7v2.connector import HL7v2Connector
from connectors.hl7v2.escapes import escape_text, unescape
from connectors.hl7v2.framing import Frame, FrameDecoder, frame
from connectors.hl7v2.tokenizer import Delimiters, parse
from hub_core.fhir.canonical import dumps

PUNCTUATION = "!#$%&*+,-./:;<=>?@^_`|~\\"
NAMES = st.from_regex(r"\A[A-Z][A-Z0-9]{2}\Z").filter(lambda name: name not in ("MSH", "FHS", "BHS", "BTS", "FTS"))
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\x0b\x1c", exclude_categories=["Cs"]), max_size=12)
ORIGIN = Origin("somewhere", None, "Europe/Berlin")

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""A busy machine is no failure."""


@st.composite
def delimiters(draw: st.DrawFn) -> Delimiters:
    """Draw five or six different delimiters."""
    characters = draw(st.lists(st.sampled_from(PUNCTUATION), min_size=5, max_size=6, unique=True))
    return Delimiters.of(characters[0], "".join(characters[1:]))


@st.composite
def messages(draw: st.DrawFn, given_delimiters: Delimiters | None = None) -> bytes:
    """Draw a message of any segments, its fields full of delimiters."""
    used = given_delimiters or draw(delimiters())
    encoding = used.component + used.repetition + used.escape + used.subcomponent + used.truncation
    pieces = st.one_of(TEXT, st.sampled_from([*encoding, '""', "MR1", "20240101"]))
    field = st.lists(pieces, max_size=5).map("".join)
    lines = [used.field.join(["MSH", encoding, *draw(st.lists(field, max_size=12))])]
    segments = st.tuples(NAMES, st.lists(field, max_size=8))
    lines += [used.field.join([name, *fields]) for name, fields in draw(st.lists(segments, max_size=6))]
    return draw(st.sampled_from(["\r", "\n", "\r\n"])).join(lines).encode()


USUAL = messages(Delimiters.of("|", "^~\\&"))


@unhurried
@given(messages())
def test_reading_and_writing_gives_the_same_bytes(body: bytes) -> None:
    """Whatever the delimiters, line ends and fields are."""
    assert parse(body).encode() == body


@unhurried
@given(delimiters(), st.text(st.characters(exclude_categories=["Cs"])))
def test_escaped_text_is_read_back(used: Delimiters, text: str) -> None:
    """No delimiter stays in the escaped text, and none of the text is lost."""
    written = escape_text(text, used.escape, used.letters)
    assert not set(written) & {used.field, used.component, used.repetition, used.subcomponent, "\r", "\n"}
    assert unescape(written, used.escape, used.letters, "utf-8") == text


@unhurried
@given(TEXT, st.sampled_from("\\|^"))
def test_unescaping_never_raises(text: str, escape: str) -> None:
    """Half sequences, unknown ones, lone escape characters."""
    unescape(text, escape, {"F": "|", "E": escape}, "utf-8")


@unhurried
@given(st.lists(st.binary(max_size=30).filter(lambda body: not set(body) & {0x0B, 0x1C})), st.lists(st.integers(1, 9)))
def test_frames_survive_any_chunking(bodies: list[bytes], sizes: list[int]) -> None:
    """Split and merged packets are the same stream."""
    stream = b"".join(frame(body) for body in bodies)
    decoder, found = FrameDecoder(100), []
    for size in [*sizes, len(stream) + 1]:
        found += list(decoder.feed(stream[:size]))
        stream = stream[size:]
    assert [*found, *decoder.close()] == [Frame(body) for body in bodies]


@unhurried
@given(st.lists(USUAL, min_size=1, max_size=4), st.integers(1, 64), st.booleans())
def test_cutting_finds_the_messages_that_were_joined(bodies: list[bytes], size: int, framed: bool) -> None:
    """Framed or one after another, whatever the size of the chunks read."""
    joined = b"".join(frame(body) for body in bodies) if framed else b"\r".join(bodies)
    stream = _Slow(joined, size)
    pieces = list(cutting.cut(stream, limit=1 << 20))
    found = [piece.body for piece in pieces if isinstance(piece, Piece)]
    assert [body.strip(b"\r\n") for body in found] == [body.strip(b"\r\n") for body in bodies]
    assert len(found) == len(pieces)


@unhurried
@given(
    st.one_of(USUAL, messages(), st.binary(max_size=200), st.binary(max_size=200).map(lambda tail: b"MSH|^~\\&" + tail))
)
def test_nothing_raises_and_every_outcome_is_explained(body: bytes) -> None:
    """Envelope, conversion and check take any bytes; what is not processed says why."""
    connector = HL7v2Connector()
    connector.envelope(body, ORIGIN)
    list(connector.check(body))
    (outcome,) = connector.convert(body, ORIGIN)
    assert outcome.state == "processed" or (outcome.issues and not outcome.facts)
    for fact in outcome.facts:
        dumps(fact.resource)


@unhurried
@given(st.sampled_from(["ADT^A01", "ADT^A40", "ORU^R01", "SIU^S12", "VXU^V04"]), st.data())
def test_mapped_types_take_any_fields(kind: str, data: st.DataObject) -> None:
    """Segments that are mapped, with anything in them."""
    field = st.lists(st.one_of(TEXT, st.sampled_from([*"^~\\&^^", "20240101", "1", "MR", "NM"])), max_size=6).map(
        "".join
    )
    names = ["EVN", "PID", "PD1", "NK1", "PV1", "PV2", "OBR", "OBX", "NTE", "SPM", "ORC", "RXA", "RXR", "SCH", "AIP"]
    names += ["AIL", "AIS", "MRG", "DG1", "AL1", "IN1", "TQ1"]
    lines = [rf"MSH|^~\&|A|B|C|D|20240101||{kind}|1|P|2.5", "PID|1||MR1^^^B"]
    segments = st.tuples(st.sampled_from(names), st.lists(field, min_size=5, max_size=30))
    lines += ["|".join([name, *fields]) for name, fields in data.draw(st.lists(segments, max_size=8))]
    (outcome,) = HL7v2Connector().convert("\r".join(lines).encode(), ORIGIN)
    for fact in outcome.facts:
        dumps(fact.resource)


class _Slow(io.BytesIO):
    """A stream that gives few bytes at a time."""

    def __init__(self, data: bytes, size: int) -> None:
        super().__init__(data)
        self._size = size

    def read(self, size: int | None = -1) -> bytes:
        return super().read(self._size)
