"""Messages converted together say what each says alone, whatever they repeat of each other; nothing stays behind."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Thread

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.connector import Origin
from connectors.hl7v2.connector import HL7v2Connector
from connectors.hl7v2.conversion import Passage
from connectors.memory import Memory, remembered, remembering
from hub_core.fhir.canonical import dumps
from tests.golden.hl7v2.test_hl7v2_golden import outcome_as_json

ORIGINS = (Origin("north", "main", "America/Chicago"), Origin("south", None, "Europe/Berlin"))
HEADERS = (
    r"MSH|^~\&|EHR|NORTH|||20240601120000||{kind}|{number}|P|2.5",
    r"MSH|^~\&|EHR|NORTH|||20240601120000+0900||{kind}|{number}|P|2.5",
    r"MSH|^~\&|EHR|SOUTH|||20240601||{kind}|{number}|P|2.5||||||8859/1",
    r"MSH|^~\$|EHR|NORTH|||20240601||{kind}|{number}|P|2.5",
)
KINDS = ("ADT^A01", "ADT^A03", "ADT^A08", "ADT^A13", "ORU^R01", "VXU^V04", "DFT^P03")
REPEATED = (
    "PID|1||1^^^CLINIC&1.2.3&ISO^MR||Okafor^Ada||19840229101500|F|||1 Elm St^^Salem||(503) 555-0100",
    "PID|1||1||Okafor^Ada||not a day|female",
    r"PID|1||1^^^CLINIC&1.2.3&ISO^MR||\XE9\lan&b^Ada||1984|?",
    "PID|1||2^^^CLINIC^MR|||",
    "PD1||||7^Berg^Ulla^^^^^^NPI",
    "PV1|1|I|W1^2^A^SOUTH||||7^Berg^Ulla|8^Tran^Li|||||||||||5^^^CLINIC||||||||||||||||01||||||||20240601|20240602",
    "PV1|1|I|W1^2^A^SOUTH||||7^Berg^Ulla|8^Tran^Li|||||||||||5^^^CLINIC|||||||||||||||||||||||||20240601|no day",
    "PV1|1|O|W2",
    "PV2|||R07.4^chest pain^I10",
)
OTHERS = (
    "OBR|1|p1|f1|24331-1^Lipids^LN|||20240601",
    "OBX|1|NM|2093-3^Cholesterol^LN||180|mg/dL|||||F",
    "EVN|A01|2024",
    "OBX|2|NM|2085-9^HDL^LN||38|mg/dL|>40|L|||F",
    r"OBX|3|CWE|10^Colou\T\r^L||Y^\XE9\^L~N^no$x^L||>1|H~!|||C",
)

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def batches(draw: st.DrawFn) -> list[tuple[bytes, Origin]]:
    """Draw messages that repeat each other's segments under headers, kinds and origins that read them differently."""
    segments = st.lists(st.sampled_from((*REPEATED, *OTHERS)), max_size=6)
    batch = []
    for number in range(draw(st.integers(2, 8))):
        header = draw(st.sampled_from(HEADERS)).format(kind=draw(st.sampled_from(KINDS)), number=number)
        lines = [header, draw(st.sampled_from(REPEATED[:4])), *draw(segments)]
        batch.append(("\r".join(lines).encode(), draw(st.sampled_from(ORIGINS))))
    return batch


def converted(batch: list[tuple[bytes, Origin]]) -> Iterator[bytes]:
    """Yield what each message becomes, as it stands after the last one was converted."""
    connector = HL7v2Connector()
    outcomes = [outcome for body, origin in batch for outcome in connector.convert(body, origin)]
    yield from (dumps(outcome_as_json(outcome)) for outcome in outcomes)


@unhurried
@given(batches())
def test_together_messages_say_what_each_says_alone(batch: list[tuple[bytes, Origin]]) -> None:
    """The same facts in the same order, the same issues at the same places, whoever said the same words before."""
    alone = [said for message in batch for said in converted([message])]
    with remembering():
        assert list(converted(batch)) == alone
        assert list(converted(batch[::-1])) == alone[::-1]


def test_the_same_words_are_read_once() -> None:
    """Three results of one visit name the patient and the visit in the same words: two passages, not six."""
    header, pid, pv1 = HEADERS[0], REPEATED[0], REPEATED[5]
    bodies = ["\r".join((header.format(kind="ORU^R01", number=n), pid, pv1, *OTHERS)).encode() for n in range(3)]
    with remembering() as memory:
        list(converted([(body, ORIGINS[0]) for body in bodies]))
    [known] = memory.values()
    assert sum(isinstance(each, Passage) for each in known.values()) == 2


def test_what_was_remembered_is_forgotten_with_the_batch() -> None:
    """Patients' words are kept no longer than they are needed, and no other thread sees them."""
    seen: list[Memory] = []
    with remembering():
        remembered("scope")["words"] = "what they came to"
        other = Thread(target=lambda: seen.append({"scope": remembered("scope")}))
        other.start()
        other.join()
    assert seen == [{"scope": {}}]
    assert remembered("scope") == {}
    with remembering() as memory:
        assert memory == {}
