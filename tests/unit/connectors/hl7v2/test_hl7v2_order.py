"""Messages about one visit or appointment, in every order they can arrive: the same chart in the end.

What stands of a resource is decided by the record's own rule (`Rank`), here applied to what the messages say of it.
"""

from __future__ import annotations

from itertools import permutations

import pytest

from connectors.connector import Fact
from ehr_pm.record.entry import Entry, Rank
from hub_core.fhir.canonical import Json
from tests.unit.connectors.hl7v2.samples import PID, message, outcome

DISCHARGE = "20240312110000"


def visit(event: str, minute: int, *, place: str = "4W", patient_class: str = "I", left: str = "") -> bytes:
    """Return an ADT of an event of `minute` o'clock; `left` is the discharge time it shows."""
    at = f"2024031212{minute:02}00"
    fields = {2: patient_class, 3: place, 19: "V1^^^RIVERBEND^VN", 44: "20240310080000", 36: left and "01", 45: left}
    pv1 = "|".join(["PV1", *(fields.get(number, "") for number in range(1, 46))])
    return message(f"EVN|{event}|{at}", f"{PID[:-1]}{'M' if minute % 2 else 'F'}", pv1, kind=f"ADT^{event}", time=at)


def appointment(event: str, minute: int, *, start: str = "20240401090000", status: str = "Booked") -> bytes:
    at = f"2024031212{minute:02}00"
    end = f"{start[:10]}3000"
    sch = f"SCH|A1|A1|||||Checkup|Routine|||^^^{start}^{end}{'|' * 14}{status}"
    return message(sch, PID, kind=f"SIU^{event}", time=at)


def lab(minute: int) -> bytes:
    at = f"2024031212{minute:02}00"
    pv1 = f"PV1|1|O{'|' * 17}V1^^^RIVERBEND^VN"
    return message(PID, pv1, "OBR|1||F1|718-7^Hemoglobin^LN|||20240312", kind="ORU^R01", time=at)


def charge(minute: int) -> bytes:
    at = f"2024031212{minute:02}00"
    pv1 = f"PV1|1|E{'|' * 17}V1^^^RIVERBEND^VN"
    return message(f"EVN|P03|{at}", PID, pv1, "FT1|1|T1||20240312||CG|99213||||10.00", kind="DFT^P03", time=at)


def standing(facts_of_messages: tuple[tuple[Fact, ...], ...]) -> dict[str, Json]:
    """Return the resources that stand after these messages arrived in this order."""
    current: dict[str, tuple[Rank, Json]] = {}
    for arrival, facts in enumerate(facts_of_messages, start=1):
        for fact in facts:
            entry = Entry(
                fact.resource, "s", fact.source_id, event_at=fact.event_at, authority=fact.authority, arrival=arrival
            )
            key = "/".join(entry.key)
            if key not in current or not entry.rank < current[key][0]:
                current[key] = entry.rank, fact.resource
    return {key: resource for key, (_, resource) in current.items()}


def in_every_order(*messages: bytes) -> dict[str, Json]:
    """Return what stands after `messages`, having seen that it is the same whatever their order."""
    facts = [outcome(body).facts for body in messages]
    expected = standing(tuple(facts))
    for order in permutations(facts):
        assert standing(order) == expected
    return expected


def only(standing: dict[str, Json], resource_type: str) -> Json:
    (found,) = (resource for key, resource in standing.items() if key.startswith(f"{resource_type}/"))
    return found


STAY = (
    visit("A05", 1, patient_class="P"),
    visit("A01", 2),
    visit("A02", 3, place="ICU"),
    visit("A12", 4),
    visit("A03", 5, left=DISCHARGE),
)


@pytest.mark.parametrize(
    ("last", "status", "has_end"),
    [
        (visit("A08", 6, left=DISCHARGE), "finished", True),
        (visit("A13", 6), "in-progress", False),
        (visit("A13", 6, left=DISCHARGE), "in-progress", False),
        (visit("A11", 6), "cancelled", False),
        (visit("A23", 6), "entered-in-error", False),
    ],
    ids=["update", "discharge taken back", "which it still shows", "admission cancelled", "visit deleted"],
)
def test_the_latest_event_of_a_stay_decides(last: bytes, status: str, has_end: bool) -> None:
    encounter = only(in_every_order(*STAY, last), "Encounter")
    assert encounter["status"] == status
    assert ("end" in encounter["period"]) is has_end
    assert ("dischargeDisposition" in encounter.get("hospitalization", {})) is has_end


def test_a_transfer_taken_back_leaves_the_patient_where_they_were() -> None:
    encounter = only(in_every_order(*STAY[:4]), "Encounter")
    assert encounter["status"] == "in-progress"
    assert [place["location"]["display"] for place in encounter["location"]] == ["4W"]


def test_a_cancelled_admission_that_was_expected_is_cancelled() -> None:
    assert only(in_every_order(STAY[0], visit("A27", 2)), "Encounter")["status"] == "cancelled"
    assert only(in_every_order(STAY[0], visit("A38", 2)), "Encounter")["status"] == "cancelled"


def test_leave_and_return_can_both_be_taken_back() -> None:
    leave, returned = visit("A21", 3), visit("A22", 4)
    assert only(in_every_order(STAY[1], leave, visit("A52", 5)), "Encounter")["status"] == "in-progress"
    assert only(in_every_order(STAY[1], leave, returned, visit("A53", 5)), "Encounter")["status"] == "onleave"


def test_those_who_only_mention_a_visit_change_nothing_of_it() -> None:
    encounter = only(in_every_order(STAY[1], STAY[4], lab(6), charge(7), visit("A31", 8)), "Encounter")
    assert (encounter["status"], encounter["class"]["code"]) == ("finished", "IMP")


def test_a_visit_known_by_its_charge_alone_becomes_what_registration_says() -> None:
    assert only(in_every_order(charge(9), lab(8), visit("A11", 2)), "Encounter")["status"] == "cancelled"


@pytest.mark.parametrize(
    ("event", "said", "status"),
    [
        ("S15", "Booked", "cancelled"),
        ("S16", "Booked", "cancelled"),
        ("S17", "Booked", "entered-in-error"),
        ("S26", "Booked", "noshow"),
        ("S14", "Complete", "fulfilled"),
        ("S13", "Booked", "booked"),
    ],
)
def test_the_latest_word_on_an_appointment_decides(event: str, said: str, status: str) -> None:
    found = in_every_order(
        appointment("S12", 1),
        appointment("S13", 2, start="20240402090000"),
        appointment("S14", 3, start="20240402090000"),
        appointment(event, 4, start="20240403090000", status=said),
    )
    assert only(found, "Appointment")["status"] == status
    assert only(found, "Appointment")["start"].startswith("2024-04-03")


def test_a_merge_is_the_same_before_and_after_what_it_merges() -> None:
    other = PID.replace("MR1", "MR2")
    merge = message("EVN|A40|20240312123000", PID, "MRG|MR2^^^RIVERBEND^MR", kind="ADT^A40", time="20240312123000")
    late = message("EVN|A08|20240312124000", other, "PV1|1|N", kind="ADT^A08", time="20240312124000")
    found = in_every_order(visit("A01", 1), merge, late)
    assert only(found, "Linkage")["active"] is True
    assert len([key for key in found if key.startswith("Patient/")]) == 2


def test_two_events_of_a_minute_are_ordered_by_when_they_were_sent() -> None:
    pv1 = f"PV1|1|I{'|' * 17}V1^^^RIVERBEND^VN"
    admitted, cancelled = (
        message(f"EVN|{event}|202403121200", PID, pv1, kind=f"ADT^{event}", time=f"202403121200{second}")
        for event, second in (("A01", "05"), ("A11", "40"))
    )
    assert only(in_every_order(admitted, cancelled), "Encounter")["status"] == "cancelled"
