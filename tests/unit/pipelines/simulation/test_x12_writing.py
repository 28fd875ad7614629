"""Simulated X12 has whole envelopes, right counts, plain characters, and control numbers of its own."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

import pytest

from pipelines.simulation.billing import keep_books
from pipelines.simulation.group import PAYERS
from pipelines.simulation.sending import Sent
from pipelines.simulation.x12 import interchanges
from pipelines.simulation.x12.writing import Envelope, amount, text
from tests.unit.pipelines.simulation.families import family_chapter
from tests.unit.pipelines.simulation.remittance_text import segments

BASIC = set("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 !\"&'()*+,-./:;?=^~\n")


def sent_of(number: int = 1, families: int = 30) -> list[Sent]:
    chapter = family_chapter(number, families)
    return list(interchanges(chapter, keep_books(chapter, 7)))


@pytest.fixture(scope="module")
def sent() -> list[Sent]:
    return sent_of()


def named(sent: list[Sent], suffix: str, name: str) -> list[list[str]]:
    return [each for one in sent if one.suffix == suffix for each in segments(one.body) if each[0] == name]


def test_the_same_seed_writes_the_same_bytes(sent: list[Sent]) -> None:
    assert sent == sent_of()


def test_envelopes_count_what_they_hold(sent: list[Sent]) -> None:
    for each in sent:
        assert each.body[105:107] == b"~\n", "an ISA is 106 characters"
        read = list(segments(each.body))
        names = Counter(name for name, *_ in read)
        assert names["ST"] == names["SE"] == each.records
        assert (names["ISA"], names["GS"], names["GE"], names["IEA"]) == (1, 1, 1, 1)
        assert read[-2][1:] == [str(each.records), read[1][6]]
        assert read[-1] == ["IEA", "1", read[0][13]]
        begins = [place for place, segment in enumerate(read) if segment[0] == "ST"]
        ends = [place for place, segment in enumerate(read) if segment[0] == "SE"]
        for begin, end in zip(begins, ends, strict=True):
            assert read[end][1:] == [str(end - begin + 1), read[begin][2]]


def test_only_basic_characters_are_used_but_in_names_of_payers(sent: list[Sent]) -> None:
    written = "".join(each.body.decode("ascii") for each in sent)
    for payer in PAYERS.values():
        written = written.replace(payer.name, "")
    assert set(written) <= BASIC


def test_control_numbers_are_unique_over_chapters(sent: list[Sent]) -> None:
    numbers = [each.body[90:99] for each in [*sent, *sent_of(2)]]
    assert len(set(numbers)) == len(numbers)


def test_messages_leave_in_the_order_of_time_and_say_so(sent: list[Sent]) -> None:
    moments = [each.sent_at for each in sent]
    assert moments == sorted(moments)
    for each in sent:
        header = next(segments(each.body))
        local = datetime.strptime(header[9] + header[10], "%y%m%d%H%M").replace(tzinfo=each.sent_at.tzinfo)
        assert local == each.sent_at


def test_children_are_dependents_of_who_holds_the_policy(sent: list[Sent]) -> None:
    levels = Counter(each[3] for each in named(sent, "837", "HL"))
    assert levels["22"] == levels["23"] == len(named(sent, "837", "PAT")) == len(named(sent, "837", "CLM"))
    assert {each[1] for each in named(sent, "837", "PAT")} == {"19"}
    patients = {each[4] for each in named(sent, "837", "NM1") if each[1] == "QC"}
    holders = {each[4] for each in named(sent, "837", "NM1") if each[1] == "IL"}
    assert all(each.startswith("KID") for each in patients)
    assert holders == {"MARIA", "SEAN"}


def test_a_secondary_claim_carries_what_the_primary_decided(sent: list[Sent]) -> None:
    checked = 0
    for body in (each.body for each in sent if each.suffix == "837"):
        for claim in claim_texts(body):
            names = Counter(each[0] for each in claim)
            paid = [each for each in claim if each[:2] == ["AMT", "D"]]
            if not paid:
                assert not names["SVD"]
                continue
            checked += 1
            charge = next(float(each[2]) for each in claim if each[0] == "CLM")
            by_line = sum(float(each[2]) for each in claim if each[0] == "SVD")
            adjusted = sum(float(each[at]) for each in claim if each[0] == "CAS" for at in range(3, len(each), 3))
            assert names["SVD"] == names["SV1"] == sum(each[:2] == ["DTP", "573"] for each in claim)
            assert round(by_line, 2) == float(paid[0][2])
            assert round(charge - by_line - adjusted, 2) == 0
    assert checked > 20


def claim_texts(body: bytes) -> list[list[list[str]]]:
    found: list[list[list[str]]] = []
    for segment in segments(body):
        if segment[0] == "CLM":
            found.append([])
        if segment[0] in ("HL", "SE"):
            found.append([])
        if found:
            found[-1].append(segment)
    return [each for each in found if each and each[0][0] == "CLM"]


def test_a_replacement_names_the_claim_it_replaces(sent: list[Sent]) -> None:
    replacing = 0
    for body in (each.body for each in sent if each.suffix == "837"):
        for claim in claim_texts(body):
            is_replacement = claim[0][5].endswith(":7")
            assert is_replacement == any(each[:2] == ["REF", "F8"] for each in claim)
            replacing += is_replacement
    assert replacing > 3


@pytest.mark.parametrize(
    ("cents", "written"),
    [(0, "0"), (5, "0.05"), (120, "1.2"), (10000, "100"), (-4321, "-43.21"), (-100, "-1"), (1000, "10")],
)
def test_amounts_are_written_without_zeros_that_say_nothing(cents: int, written: str) -> None:
    assert amount(cents) == written


def test_names_lose_accents_and_delimiters() -> None:
    assert text("Núñez-O'Brien  *Jr~ ") == "NUNEZ-O'BRIEN JR"


def test_a_control_number_has_nine_digits_at_most() -> None:
    last = Envelope("271", "A", "B", datetime(2026, 1, 1, tzinfo=UTC), 9_999, 999)
    assert last.number < 1_000_000_000
