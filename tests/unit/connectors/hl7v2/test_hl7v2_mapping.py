"""What the mappers decide: who a message is about, what is kept, what is only mentioned, what is left out and told."""

from __future__ import annotations

from decimal import Decimal

import pytest

from connectors.connector import Authority, Origin
from connectors.hl7v2.values import decimal
from hub_core.fhir.ids import derived_id
from tests.unit.connectors.hl7v2.samples import ORIGIN, PID, message, outcome, resource, resources

PV1 = "PV1|1|I|4W^412^B^RIVERBEND||||||||||||||||V20031^^^RIVERBEND^VN"


def test_medical_record_number_is_the_key() -> None:
    """Among several identifiers the MR is taken, whatever its place; its id is derived from it."""
    pid = "PID|1||900^^^USSSA^SS~77^^^OTHER^PI~MR1^^^RIVERBEND^MR||Okafor"
    (fact,) = outcome(message(pid, kind="ADT^A31")).facts
    assert fact.source_id == "RIVERBEND|MR1"
    assert fact.resource["id"] == derived_id("riverbend", "Patient", "RIVERBEND|MR1")
    assert fact.resource["identifier"][0]["system"] == "http://hl7.org/fhir/sid/us-ssn"


def test_identifier_without_assigner_belongs_to_the_sending_facility() -> None:
    """MSH-4 scopes it."""
    (fact,) = outcome(message("PID|1||77||Okafor", kind="ADT^A31")).facts
    assert fact.source_id == "RIVERBEND|77"


def test_patient_without_name_is_only_mentioned() -> None:
    """The bare identifiers of a merge must not wipe out what a registration said."""
    (fact,) = outcome(message("PID|1||MR1^^^RIVERBEND", kind="ADT^A31")).facts
    assert fact.authority is Authority.MENTION


@pytest.mark.parametrize(("kind", "authority"), [("ADT^A08", Authority.FULL), ("ORU^R01", Authority.MENTION)])
def test_authority_of_demographics(kind: str, authority: Authority) -> None:
    """A result only mentions its patient."""
    found = outcome(message(PID, "OBR|1|||1^X", kind=kind))
    assert {fact.authority for fact in found.facts if fact.resource["resourceType"] == "Patient"} == {authority}


def test_old_external_id_is_used_and_told() -> None:
    """Feeds of HL7 v2.2 have only PID-2."""
    found = outcome(message("PID|1|X9|||Okafor", kind="ADT^A31"))
    assert found.facts[0].source_id == "RIVERBEND|X9"
    assert [issue.location for issue in found.issues] == ["PID-3"]


@pytest.mark.parametrize(
    ("event", "discharged", "status"),
    [
        ("A01", "", "in-progress"),
        ("A03", "", "finished"),
        ("A04", "", "in-progress"),
        ("A05", "", "planned"),
        ("A08", "", "in-progress"),
        ("A08", "20240312", "finished"),
        ("A11", "", "cancelled"),
        ("A13", "", "in-progress"),
        ("A38", "", "cancelled"),
    ],
)
def test_status_of_a_visit(event: str, discharged: str, status: str) -> None:
    """The event says it; where it does not, the discharge time and the class do."""
    body = message(PID, PV1 + "|" * 26 + discharged, kind=f"ADT^{event}")
    assert resource(body, "Encounter")["status"] == status


def test_visit_without_number_or_time_is_known_by_its_message() -> None:
    """It is not lost, and not confused with another visit of the patient."""
    found = outcome(message(PID, "PV1|1|O"))
    assert [fact.source_id for fact in found.facts] == ["RIVERBEND|MR1", "message|C1"]
    assert [issue.location for issue in found.issues] == ["PV1-19"]


def test_result_without_visit_number_names_no_visit() -> None:
    """A lab's PV1 with a class and nothing else is no encounter."""
    assert resources(message(PID, "PV1|1|O", "OBR|1|||1^X", kind="ORU^R01"), "Encounter") == []


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("NM", "98.00", {"valueQuantity": {"value": Decimal("98.00"), "unit": "mg"}}),
        ("NM", "<15", {"valueQuantity": {"value": Decimal(15), "comparator": "<", "unit": "mg"}}),
        ("NM", "1,200", {"valueString": "1,200"}),
        ("SN", ">=^100", {"valueQuantity": {"value": Decimal(100), "comparator": ">=", "unit": "mg"}}),
        ("SN", "^1^-^5", {"valueRange": {"low": {"value": 1, "unit": "mg"}, "high": {"value": 5, "unit": "mg"}}}),
        ("SN", "^2^+", {"valueString": "2 +"}),
        ("ST", "A^B", {"valueString": "A^B"}),
        ("TX", "one~two", {"valueString": "one\ntwo"}),
        ("IS", "POS", {"valueCodeableConcept": {"coding": [{"code": "POS"}], "text": "POS"}}),
        ("CWE", "^^^^^^^^Positive", {"valueCodeableConcept": {"text": "Positive"}}),
        ("DT", "202405", {"valueDateTime": "2024-05"}),
        ("TM", "0930", {"valueTime": "09:30:00"}),
        ("DT", "soon", {"valueString": "soon"}),
    ],
)  # fmt: skip
def test_values_of_observations(kind: str, value: str, expected: dict[str, object]) -> None:
    """Each type of OBX-2 in its place."""
    body = message(PID, "OBR|1|||P^Panel", f"OBX|1|{kind}|1^X||{value}|mg|||||F", kind="ORU^R01")
    found = resource(body, "Observation")
    assert {name: each for name, each in found.items() if name.startswith("value")} == expected


@pytest.mark.parametrize(
    ("text", "number"), [("98.00", "98.00"), ("+5", "5"), (".5", "0.5"), ("5.", "5"), ("007", "7"), ("-0.10", "-0.10")]
)
def test_digits_are_kept(text: str, number: str) -> None:
    """As JSON writes numbers, with every digit that was said."""
    found = decimal(text)
    assert found is not None
    assert found.text == number


@pytest.mark.parametrize("text", ["", ".", "1.2.3", "１", "NaN", "Infinity", "1e9999"])
def test_what_is_no_number(text: str) -> None:
    """Python would take some of these."""
    assert decimal(text) is None


def test_repeated_observation_of_one_panel_is_not_lost() -> None:
    """Two OBX of one code without sub-id are two observations; the second has a number."""
    body = message(PID, "OBR|1||F1|P", "OBX|1|ST|1^X||a||||||F", "OBX|2|ST|1^X||b||||||F", kind="ORU^R01")
    assert [each["valueString"] for each in resources(body, "Observation")] == ["a", "b"]


def test_correction_is_the_same_observation() -> None:
    """Order number, code and sub-id are the identity; the status says that it was corrected."""
    first = message(PID, "OBR|1||F1|P", "OBX|1|NM|1^X||5||||||F", kind="ORU^R01")
    second = message(PID, "OBR|1||F1|P", "OBX|7|NM|1^X||6||||||C", kind="ORU^R01", time="20240311")
    before, after = resource(first, "Observation"), resource(second, "Observation")
    assert before["id"] == after["id"]
    assert after["status"] == "corrected"


def test_several_patients_in_one_result_message() -> None:
    """Each order belongs to the PID before it."""
    body = message(
        PID, "OBR|1||F1|P", "OBX|1|ST|1^X||a||||||F",
        PID.replace("MR1", "MR2"), "OBR|1||F2|P", "OBX|1|ST|1^X||b||||||F", kind="ORU^R01",
    )  # fmt: skip
    subjects = [each["subject"]["reference"] for each in resources(body, "Observation")]
    assert len(set(subjects)) == 2


def test_encapsulated_data_is_decoded_to_be_sure() -> None:
    """Broken base64 is told and left out; the observation stays."""
    body = message(PID, "OBR|1||F1|P", "OBX|1|ED|1^X||^^PDF^Base64^@@@@||||||F", kind="ORU^R01")
    found = outcome(body)
    assert [issue.location for issue in found.issues] == ["OBX-5.5"]
    assert found.state == "processed"


def test_message_of_many_equal_results_takes_no_long_time() -> None:
    """A sender that repeats one code 5,000 times does not stop a worker."""
    body = message(PID, "OBR|1||F1|P", *["OBX|1|ST|1^X||a||||||F"] * 5_000, kind="ORU^R01")
    assert len({each["id"] for each in resources(body, "Observation")}) == 5_000


def test_person_update_is_no_news_of_a_visit() -> None:
    """A31 must carry a PV1; it does not reopen a visit that has ended."""
    facts = outcome(message(PID, PV1, kind="ADT^A31")).facts
    assert [fact.authority for fact in facts if fact.resource["resourceType"] == "Encounter"] == [Authority.MENTION]


def test_appointment_without_time_is_a_proposal() -> None:
    """FHIR allows no booked appointment without start and end."""
    found = outcome(message("SCH|A1|F1||||X", PID, kind="SIU^S12"))
    assert found.facts[-1].resource["status"] == "proposed"
    assert [issue.code for issue in found.issues] == ["required"]


def test_end_of_an_appointment_from_its_duration() -> None:
    """SCH-9 in the units of SCH-10."""
    body = message("SCH|A1|F1|||||||2|H|^^^20240520093000", PID, kind="SIU^S12")
    found = resource(body, "Appointment")
    assert (found["end"], found["minutesDuration"]) == ("2024-05-20T11:30:00-07:00", 120)


def test_same_appointment_over_its_life() -> None:
    """Booking and cancellation speak of one resource."""
    booked, cancelled = (
        resource(message("SCH|A1|F1", PID, "AIL|1||X", kind=f"SIU^{event}"), "Appointment") for event in ("S12", "S15")
    )
    assert booked["id"] == cancelled["id"]
    assert cancelled["status"] == "cancelled"


def test_refused_vaccination_is_not_done() -> None:
    """With the reason, and PATOBJ for those who only know codes."""
    body = message(PID, "RXA|0|1|20240502||03^MMR^CVX|999||||||||||||00^Parental decision^NIP002||RE", kind="VXU^V04")
    found = resource(body, "Immunization")
    assert found["status"] == "not-done"
    assert [coding["code"] for coding in found["statusReason"]["coding"]] == ["PATOBJ", "00"]
    assert "doseQuantity" not in found


def test_merge_into_itself_links_nothing() -> None:
    """Seen in the field after a merge was undone."""
    found = outcome(message(PID, "MRG|MR1^^^RIVERBEND", kind="ADT^A40"))
    assert [fact.resource["resourceType"] for fact in found.facts] == ["Patient"]
    assert found.issues[0].code == "business-rule"


def test_several_merges_in_one_message() -> None:
    """Each MRG belongs to the PID before it."""
    body = message(
        PID, "MRG|OLD1^^^RIVERBEND", PID.replace("MR1", "MR2"), "MRG|OLD2^^^RIVERBEND", kind="ADT^A40"
    )  # fmt: skip
    linked = [fact.source_id for fact in outcome(body).facts if fact.resource["resourceType"] == "Linkage"]
    assert linked == ["RIVERBEND|MR1|replaces|RIVERBEND|OLD1", "RIVERBEND|MR2|replaces|RIVERBEND|OLD2"]


def test_npi_is_the_same_person_in_every_format() -> None:
    """`npi|<npi>` is what X12 calls them too."""
    body = message(PID, PV1.replace("RIVERBEND||||", "RIVERBEND||||1999999984^Marlowe^Ines^^^^^^NPI^^^^NPI", 1))
    assert [fact.source_id for fact in outcome(body).facts if fact.resource["resourceType"] == "Practitioner"] == [
        "npi|1999999984"
    ]


def test_same_bytes_same_facts() -> None:
    """No clock, no chance."""
    body = message(PID, PV1)
    assert outcome(body) == outcome(body)
    other = outcome(body, Origin("lakeside", None, "UTC"))
    assert other.facts[0].resource["id"] != outcome(body).facts[0].resource["id"]


def test_event_time_is_when_the_event_was_recorded() -> None:
    """EVN-2, else MSH-7, in the zone of the origin."""
    fact = outcome(message("EVN|A01|20240310120000", PID)).facts[0]
    assert fact.event_at is not None
    assert fact.event_at.isoformat() == "2024-03-10T19:00:00+00:00"
    assert ORIGIN.zone == "America/Los_Angeles"
