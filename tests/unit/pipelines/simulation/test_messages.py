"""What single facts look like in the HL7 v2 messages of the simulated systems."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

import hl7
import pytest

from pipelines.simulation.feeds import FEEDS
from pipelines.simulation.hl7v2.messages import Systems
from pipelines.simulation.money import AccountEntry, Books, Charge
from pipelines.simulation.world import (
    Allergy,
    Booking,
    BookingChange,
    Chapter,
    Code,
    Registration,
    Vaccination,
    VisitClass,
)
from tests.unit.pipelines.simulation.riverbend import COLD, JOSE, NOON, chapter, registration, report, visit

ADT, LAB, DFT = "family-practice-adt", "family-practice-lab", "family-practice-charges"


class Calm(Random):
    """Chance that never does anything special."""

    def random(self) -> float:
        return 0.999


def sent(feed: str, world: Chapter, books: Books | None = None, random: Random | None = None) -> list[hl7.Message]:
    found = Systems(world, books or Books()).messages(FEEDS[feed], random or Calm())
    return [hl7.parse(each.body.decode()) for each in found]


def events(found: list[hl7.Message]) -> list[str]:
    return [each.extract_field("MSH", 1, 9, 1, 2) for each in found]


def field(message: hl7.Message, segment: str, number: int, component: int = 1, repetition: int = 1) -> str:
    return str(message.unescape(message.extract_field(segment, 1, number, repetition, component)))


def test_an_office_visit_is_a_registration_an_arrival_and_an_end() -> None:
    world = chapter("family-practice")
    world.visits.append(visit("family-practice"))
    first, begin, end = sent(ADT, world)
    assert events([first, begin, end]) == ["A28", "A04", "A03"]
    assert field(begin, "PV1", 19) == field(end, "PV1", 19) == "v1"
    assert (field(end, "PV1", 44), field(end, "PV1", 45)) == ("20240514120000", "20240514123000")
    assert field(end, "DG1", 3) == "J06.9"
    assert field(begin, "IN1", 3) == "BLSTM2"
    assert len({field(each, "MSH", 10) for each in (first, begin, end)}) == 3


def test_names_addresses_and_labels_keep_every_character() -> None:
    world = chapter("family-practice")
    world.visits.append(visit("family-practice"))
    raw = next(Systems(world, Books()).messages(FEEDS[ADT], Calm())).body
    assert "O'Neill-Nuñez^José^M^Jr".encode() in raw
    assert b"|UNICODE UTF-8\r" in raw
    begin = sent(ADT, world)[1]
    assert field(begin, "PID", 11) == "5 Elm|Oak St^2"
    assert field(begin, "PV2", 3, 2) == "Cold & cough"


def test_identifiers_name_who_assigned_them() -> None:
    first = sent(ADT, chapter("family-practice"))[0]
    assert [[field(first, "PID", 3, part, number) for part in (1, 4, 5)] for number in (1, 2)] == [
        ["M-r1", "RFP", "MR"],
        ["E-1", "RIVEREX", "PI"],
    ]


def test_a_visit_still_going_on_has_no_end() -> None:
    world = chapter("family-practice")
    world.visits.append(visit("family-practice", minutes=None))
    begin = sent(ADT, world)[1]
    assert events([begin]) == ["A04"]
    assert field(begin, "DG1", 3) == "J06.9"


def test_a_visit_registered_by_mistake_is_taken_back_without_diagnoses() -> None:
    world = chapter("family-practice")
    world.visits.append(replace(visit("family-practice"), is_cancelled=True))
    found = sent(ADT, world)
    assert events(found) == ["A28", "A04", "A11"]
    assert all("DG1|" not in str(each) for each in found)


def test_a_stay_moves_from_ward_to_ward() -> None:
    world = chapter("hospital", registration("hospital", since=NOON))
    wards = ((NOON, "ICU"), (NOON + timedelta(hours=20), "4W"))
    world.visits.append(replace(visit("hospital", minutes=60 * 48), visit_class="IMP", wards=wards))
    found = sent("hospital-adt", world)
    assert events(found) == ["A01", "A02", "A03"]
    assert [(field(each, "PV1", 3), field(each, "PV1", 6)) for each in found[:2]] == [("ICU", ""), ("4W", "ICU")]
    assert field(found[0], "MSH", 7) > "20240514120000-0500"


def test_some_are_discharged_too_early_and_that_is_taken_back() -> None:
    world = chapter("hospital", registration("hospital", since=NOON))
    world.visits.append(replace(visit("hospital", minutes=60 * 48), visit_class="IMP", wards=((NOON, "4W"),)))

    class Hasty(Random):
        def random(self) -> float:
            return 0.01

    assert events(sent("hospital-adt", world, random=Hasty())) == ["A01", "A03", "A13", "A03"]


def test_what_a_site_learns_of_a_person_is_sent_and_stands_in_later_messages() -> None:
    married = replace(JOSE, family="Ruiz")
    stated = ((NOON - timedelta(days=30), JOSE), (NOON - timedelta(days=3), married))
    world = chapter("family-practice", replace(registration("family-practice"), stated=stated))
    world.visits.append(visit("family-practice"))
    found = sent(ADT, world)
    assert events(found) == ["A28", "A08", "A04", "A03"]
    assert [field(each, "PID", 5) for each in found] == ["O'Neill-Nuñez", "Ruiz", "Ruiz", "Ruiz"]
    assert field(found[1], "PV1", 2) == "N"


def test_a_second_record_of_a_person_is_merged_into_the_first() -> None:
    twice: Registration = replace(registration("family-practice", "r2"), merged_into="r1", merged_at=NOON)
    found = sent(ADT, chapter("family-practice", registration("family-practice"), twice))
    assert events(found) == ["A28", "A28", "A40"]
    assert (field(found[2], "PID", 3), field(found[2], "MRG", 1)) == ("M-r1", "M-r2")


def test_allergies_known_by_then_stand_in_messages_of_a_visit() -> None:
    world = chapter("family-practice")
    world.allergies.append(Allergy("a1", "r1", "family-practice", Code("RxNorm", "7980", "penicillin G"), NOON))
    world.visits += [visit("family-practice", "v0", at=NOON - timedelta(days=2)), visit("family-practice", at=NOON)]
    found = sent(ADT, world)
    assert ["AL1|1|DA|7980" in str(each) for each in found] == [False, False, False, True, True, True]


@pytest.mark.parametrize(("visit_class", "code"), [("AMB", "O"), ("EMER", "E"), ("IMP", "I"), ("VR", "O")])
def test_classes_are_those_of_table_0004(visit_class: VisitClass, code: str) -> None:
    world = chapter("hospital")
    world.visits.append(replace(visit("hospital"), visit_class=visit_class))
    assert field(sent("hospital-adt", world)[-1], "PV1", 2) == code


def test_every_step_of_an_appointment_is_an_event_of_its_own() -> None:
    world = chapter("family-practice")
    starts = NOON + timedelta(days=9)
    changes = (
        BookingChange(NOON, "booked", starts),
        BookingChange(NOON + timedelta(hours=1), "rescheduled", starts),
        BookingChange(NOON + timedelta(hours=2), "cancelled", starts),
        BookingChange(NOON + timedelta(hours=3), "noshow", starts),
        BookingChange(NOON + timedelta(hours=4), "fulfilled", starts),
    )
    world.bookings.append(Booking("b1", "r1", "family-practice", "abara", "annual", 40, changes))
    found = sent("family-practice-scheduling", world)
    assert events(found) == ["S12", "S13", "S15", "S26", "S14"]
    assert [field(each, "SCH", 25) for each in found] == ["Booked", "Booked", "Cancelled", "Noshow", "Complete"]
    assert [field(found[0], "SCH", 11, part) for part in (4, 5)] == ["20240523120000", "20240523124000"]


def test_a_corrected_value_replaces_the_one_before_under_the_same_numbers() -> None:
    world = chapter("family-practice")
    world.visits.append(visit("family-practice"))
    world.reports.append(report("family-practice", corrected=True))
    final, corrected = sent(LAB, world)
    for number in (2, 3):
        assert field(final, "OBR", number) == field(corrected, "OBR", number)
    values = [[field(each, "OBX", number) for number in (2, 5, 7, 8, 11)] for each in (final, corrected)]
    assert values == [["NM", "7.10", "4.0-5.6", "H", "F"], ["NM", "5.10", "4.0-5.6", "", "C"]]
    assert field(final, "PV1", 19) == "v1"
    assert "\\T\\" in str(corrected)


def test_vaccinations_given_and_refused() -> None:
    world = chapter("family-practice")
    flu = Code("CVX", "150", "Influenza")
    given = Vaccination("i1", "r1", "family-practice", None, "abara", flu, NOON, 1, "LOT7", "SKB")
    world.vaccinations += [given, replace(given, vaccination_id="i2", lot_number="", is_refused=True)]
    by_number = {field(each, "ORC", 3): each for each in sent("family-practice-immunizations", world)}
    stated = {key: [field(each, "RXA", number) for number in (5, 15, 17, 20)] for key, each in by_number.items()}
    assert stated == {"i1": ["150", "LOT7", "SKB", "CP"], "i2": ["150", "", "", "RE"]}


def test_charges_of_a_visit_are_one_message_and_what_is_paid_later_another() -> None:
    world = chapter("family-practice")
    world.visits.append(visit("family-practice"))
    office, panel = Code("CPT", "99213"), Code("CPT", "80053")
    charge = Charge("c1", "r1", "family-practice", "v1", "abara", office, COLD, 1, 12_500, NOON, None, "bluestem", "25")
    later = NOON + timedelta(days=20)
    books = Books(
        charges=[
            charge,
            replace(charge, charge_id="c2", service=panel, units=3, amount=10_000, modifier=""),
            replace(charge, charge_id="c3", credits="c2", charged_at=NOON + timedelta(days=1)),
        ],
        entries=[
            AccountEntry("e1", "r1", "family-practice", "v1", "payment", "bluestem", 8_050, later),
            AccountEntry("e2", "r1", "family-practice", "v1", "adjustment", "bluestem", 2_000, later, "CO", "45"),
            AccountEntry("e3", "r1", "family-practice", "v1", "payment", None, 5, later + timedelta(days=1)),
        ],
    )
    at_once, credit, insurer, patient = sent(DFT, world, books)
    lines = [[str(line[number]) for number in (2, 6, 10, 11, 12, 26)] for line in at_once.segments("FT1")]
    assert lines == [
        ["c1", "CG", "1", "125.00&USD", "125.00&USD", "25"],
        ["c2", "CG", "3", "100.00&USD", "", ""],
    ]
    assert (field(credit, "FT1", 6), field(credit, "FT1", 11)) == ("CD", "125.00")
    stated = [[str(line[number]) for number in (2, 6, 7, 11, 14)] for line in insurer.segments("FT1")]
    assert [each[:2] for each in stated] == [["e1", "PY"], ["e2", "AJ"]]
    assert [each[2:] for each in stated][1] == ["CO45", "20.00&USD", "BLSTM2^Bluestem Blue"]
    assert (field(patient, "FT1", 11), field(patient, "FT1", 14)) == ("0.05", "")
    assert field(patient, "PID", 18) == field(patient, "PV1", 19) == "v1"


def test_of_the_hour_that_comes_twice_the_second_says_so() -> None:
    world = chapter("family-practice")
    set_back = datetime(2024, 11, 3, 6, 30, tzinfo=UTC)
    world.visits.append(visit("family-practice", at=set_back, minutes=60))
    begin, end = sent(ADT, world)[1:]
    assert field(begin, "EVN", 2) == "20241103013000"
    assert field(end, "EVN", 2) == "20241103013000-0600"


def test_no_message_without_offset_is_sent_in_the_second_of_two_equal_hours() -> None:
    world = chapter("family-practice")
    world.visits.append(visit("family-practice", at=datetime(2024, 11, 3, 7, 30, tzinfo=UTC), minutes=None))
    assert field(sent(ADT, world)[1], "MSH", 7).startswith("202411030230")
