"""FHIR records become facts with ids of this house; what is wrong is told with its place and without its values."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.connector import Authority, Fact, Origin, Outcome
from connectors.fhir.connector import FHIRConnector
from hub_core.fhir import canonical
from hub_core.fhir.ids import derived_id

CONNECTOR = FHIRConnector()
NORTH = Origin("north")
PATIENT = {"resourceType": "Patient", "id": "p1"}


def convert(document: Any) -> Outcome:
    text = document if isinstance(document, bytes) else json.dumps(document).encode()
    (outcome,) = CONNECTOR.convert(text, NORTH)
    return outcome


def fact(document: Any) -> Fact:
    outcome = convert(document)
    assert outcome.state == "processed", outcome.issues
    (found,) = outcome.facts
    return found


def bundle(*entries: Any, kind: str = "collection") -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


def test_a_resource_gets_the_id_derived_from_its_own() -> None:
    found = fact({**PATIENT, "gender": "female"})
    assert found.resource == {
        "resourceType": "Patient",
        "id": derived_id("north", "Patient", "p1"),
        "gender": "female",
    }
    assert (found.source_id, found.authority, found.event_at) == ("p1", Authority.FULL, None)


def test_a_resource_without_id_is_known_by_what_it_says() -> None:
    one, same, other = ({"resourceType": "Patient", "gender": g} for g in ("male", "male", "female"))
    assert fact(one).resource["id"] == fact(same).resource["id"]
    assert fact(one).resource["id"] != fact(other).resource["id"]


def test_last_updated_is_when_it_became_true_and_meta_keeps_the_rest() -> None:
    meta = {"versionId": "7", "lastUpdated": "2024-05-06T07:08:09.123-04:00", "profile": ["http://example.org/p"]}
    found = fact({**PATIENT, "meta": meta})
    assert found.event_at == datetime(2024, 5, 6, 11, 8, 9, 123000, tzinfo=UTC)
    assert found.resource["meta"] == {"profile": ["http://example.org/p"]}
    assert "meta" not in fact({**PATIENT, "meta": {"versionId": "7"}}).resource
    assert fact({**PATIENT, "meta": {"lastUpdated": "lately"}}).event_at is None


def test_references_become_ids_of_the_same_source() -> None:
    observation = {
        "resourceType": "Observation",
        "id": "o1",
        "subject": {"reference": "Patient/p1", "display": "kept"},
        "hasMember": [{"reference": "Observation/o2/_history/3"}],
        "contained": [{"resourceType": "Specimen", "id": "s", "subject": {"reference": "Patient/p1"}}],
        "specimen": {"reference": "#s"},
    }
    patient = f"Patient/{derived_id('north', 'Patient', 'p1')}"
    said = fact(observation).resource
    assert said["subject"] == {"reference": patient, "display": "kept"}
    assert said["hasMember"] == [{"reference": f"Observation/{derived_id('north', 'Observation', 'o2')}"}]
    assert said["contained"] == [{"resourceType": "Specimen", "id": "s", "subject": {"reference": patient}}]
    assert said["specimen"] == {"reference": "#s"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Practitioner?identifier=http://hl7.org/fhir/sid/us-npi|1234567893",
            {
                "type": "Practitioner",
                "identifier": {"system": "http://hl7.org/fhir/sid/us-npi", "value": "1234567893"},
            },
        ),
        (
            "Location?identifier=urn%3Ax%7C4%207",
            {"type": "Location", "identifier": {"system": "urn:x", "value": "4 7"}},
        ),
        ("Location?name=North", {"type": "Location", "identifier": {"value": "name=North"}}),
        (
            "https://elsewhere.example/fhir/Patient/9",
            {
                "type": "Patient",
                "identifier": {"system": "urn:ietf:rfc:3986", "value": "https://elsewhere.example/fhir/Patient/9"},
            },
        ),
        (
            "urn:uuid:0a7f1de0-0000-4000-8000-000000000001",
            {
                "identifier": {
                    "system": "urn:ietf:rfc:3986",
                    "value": "urn:uuid:0a7f1de0-0000-4000-8000-000000000001",
                }
            },
        ),
        ("nobody", {"identifier": {"value": "nobody"}}),
    ],
)
def test_what_cannot_be_known_by_id_is_referred_to_by_identifier(text: str, expected: dict[str, Any]) -> None:
    said = fact({"resourceType": "Observation", "id": "o1", "subject": {"reference": text, "display": "d"}}).resource
    assert said["subject"] == {"display": "d", **expected}


def test_entries_of_a_bundle_find_each_other_by_full_url_uuid_and_base() -> None:
    uuid = "urn:uuid:0a7f1de0-0000-4000-8000-000000000001"
    outcome = convert(
        bundle(
            {"fullUrl": uuid, "resource": {"resourceType": "Patient", "gender": "male"}},
            {"fullUrl": "https://a.example/fhir/Encounter/e1", "resource": {"resourceType": "Encounter", "id": "e1"}},
            {
                "resource": {
                    "resourceType": "Observation",
                    "id": "o1",
                    "subject": {"reference": uuid},
                    "encounter": {"reference": "https://a.example/fhir/Encounter/e1"},
                    "performer": [
                        {"reference": "https://a.example/fhir/Organization/not-sent"},
                        {"reference": "https://b.example/fhir/Organization/not-sent"},
                    ],
                }
            },
            kind="transaction",
        )
    )
    patient, encounter, observation = (each.resource for each in outcome.facts)
    assert observation["subject"] == {"reference": f"Patient/{patient['id']}"}
    assert observation["encounter"] == {"reference": f"Encounter/{encounter['id']}"}
    same_server, other_server = observation["performer"]
    assert same_server == {"reference": f"Organization/{derived_id('north', 'Organization', 'not-sent')}"}
    assert other_server["type"] == "Organization"
    assert "reference" not in other_server


def test_a_bad_entry_is_told_by_its_path_and_spoils_none_of_the_others() -> None:
    outcome = convert(
        bundle(
            {"resource": PATIENT},
            {"resource": {"resourceType": "Unicorn", "name": "Secret"}},
            "Secret",
            {"fullUrl": "urn:uuid:Secret"},
            {"resource": {"resourceType": "Patient", "id": 7}},
            {"resource": {"resourceType": "Patient", "meta": "Secret"}},
        )
    )
    assert outcome.state == "processed"
    assert [each.source_id for each in outcome.facts] == ["p1"]
    assert [(issue.severity, issue.location) for issue in outcome.issues] == [
        ("error", "Bundle.entry[1].resource"),
        ("error", "Bundle.entry[2]"),
        ("error", "Bundle.entry[3].resource"),
        ("error", "Bundle.entry[4].resource.id"),
        ("error", "Bundle.entry[5].resource.meta"),
    ]
    assert not any("Secret" in issue.text for issue in outcome.issues)


def test_a_bundle_is_rejected_only_when_no_entry_is_usable() -> None:
    assert convert(bundle({"resource": {"resourceType": "Unicorn"}})).state == "rejected"
    assert convert(bundle()).state == "filtered"
    assert convert({"resourceType": "Bundle", "entry": {}}).state == "rejected"


def test_a_deletion_is_told_and_reading_requests_hold_nothing() -> None:
    outcome = convert(
        bundle(
            {
                "request": {"method": "DELETE", "url": "Encounter/e1"},
                "response": {"lastModified": "2026-03-01T12:00:00Z"},
            },
            {"request": {"method": "DELETE", "url": "Encounter?status=cancelled"}},
            {"request": {"method": "GET", "url": "Patient/p1"}},
            {"resource": {"resourceType": "OperationOutcome"}, "search": {"mode": "outcome"}},
            {"resource": PATIENT, "request": {"method": "PUT", "url": "Patient/p1"}},
        )
    )
    gone, patient = outcome.facts
    assert (gone.source_id, gone.is_deleted, gone.event_at) == ("e1", True, datetime(2026, 3, 1, 12, tzinfo=UTC))
    assert set(gone.resource) == {"resourceType", "id"}
    assert (patient.source_id, patient.is_deleted) == ("p1", False)
    assert [(issue.severity, issue.location) for issue in outcome.issues] == [("error", "Bundle.entry[1].request")]


def test_a_history_is_told_oldest_first() -> None:
    versions = [{"resource": {**PATIENT, "gender": gender}} for gender in ("female", "male")]
    outcome = convert(bundle(*versions, kind="history"))
    assert [each.resource["gender"] for each in outcome.facts] == ["male", "female"]


def test_every_line_of_ndjson_is_a_record_at_its_line() -> None:
    body = b'{"resourceType":"Patient","id":"p1"}\n\n{"resourceType":\n{"resourceType":"Group","id":"g"}\r\n[]\n'
    outcomes = list(CONNECTOR.convert(body, NORTH))
    assert [(each.position, each.kind, each.state) for each in outcomes] == [
        (1, "Patient", "processed"),
        (3, "unreadable", "rejected"),
        (4, "Group", "processed"),
        (5, "unreadable", "rejected"),
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"", "a JSON object was expected"),
        (b"{", "not valid JSON"),
        (b'{"resourceType":"Patient","id":"\xff"}', "not valid JSON"),
        (b"\x00\x01", "a JSON object was expected"),
        (b"[]", "a JSON object was expected"),
        (b"7", "a JSON object was expected"),
        (b"{}", "there is no resourceType"),
        (b'{"resourceType":7}', "there is no resourceType"),
        (b'{"resourceType":"Unicorn"}', "Unicorn is not a resource type of FHIR R4"),
        (b'{"resourceType":"Jo Smith 555-1234"}', "the resourceType is not a resource type of FHIR R4"),
        (b'{"resourceType":"ProcedureRequest"}', "ProcedureRequest belongs to FHIR STU3; R4 is read"),
        (b'{"resourceType":"SubscriptionTopic"}', "SubscriptionTopic belongs to FHIR R4B; R4 is read"),
        (b'{"resourceType":"Patient","id":["x"]}', "an id must be a string"),
        (b'{"resourceType":"Patient","id":"' + b"x" * 300 + b'"}', "an id longer than"),
        (b'{"resourceType":"Patient","meta":[]}', "meta must be an object"),
        (b'{"resourceType":"Patient","name":[{"text":"a\\u0000b"}]}', "U+0000"),
        (b'{"resourceType":"Basic","n":1e-99999999999999999999}', "not valid JSON"),
        (b'{"a":' * 80 + b"1" + b"}" * 80, "nested deeper"),
        (b'{"a":' * 5000 + b"1" + b"}" * 5000, "not valid JSON"),
    ],
)
def test_what_cannot_be_kept_is_rejected_in_one_line(text: bytes, words: str) -> None:
    outcome = convert(text)
    assert outcome.state == "rejected"
    (issue,) = outcome.issues
    assert words in issue.text
    assert "\n" not in issue.text


def test_what_fhir_forbids_but_people_can_live_with_is_kept_and_told() -> None:
    outcome = convert(
        {
            "resourceType": "Patient",
            "id": "has_underscore",
            "name": [{"given": [None, "Ann"], "_given": [{"id": "x"}, None], "family": ""}],
            "telecom": [],
            "maritalStatus": None,
            "Jo Smith": {},
        }
    )
    assert outcome.state == "processed"
    assert {issue.severity for issue in outcome.issues} == {"warning"}
    assert [issue.location for issue in outcome.issues] == [
        "Patient.id",
        "Patient.name[0].family",
        "Patient.telecom",
        "Patient.maritalStatus",
        "Patient.?",
    ]


def test_an_escaped_backslash_before_u0000_is_no_nul() -> None:
    assert convert(b'{"resourceType":"Patient","id":"p","name":[{"text":"\\\\u0000"}]}').state == "processed"


def test_a_byte_order_mark_is_accepted() -> None:
    assert fact(b"\xef\xbb\xbf" + json.dumps(PATIENT).encode()).source_id == "p1"


def test_decimals_keep_their_digits_into_the_fact() -> None:
    text = b'{"resourceType":"Observation","id":"o","valueQuantity":{"value":1.10},"component":[{"n":0.1E+2}]}'
    written = canonical.dumps(fact(text).resource)
    assert b'"value":1.10}' in written
    assert b'"n":0.1E+2}' in written


def test_lines_of_an_export_log_are_filtered() -> None:
    line = {"exportId": "x", "timestamp": "2024-01-01T00:00:00Z", "eventId": "kickoff", "eventDetail": {}}
    assert convert(line).state == "filtered"


def test_a_bundle_in_ndjson_keeps_its_entries_to_itself() -> None:
    uuid = "urn:uuid:0a7f1de0-0000-4000-8000-000000000001"
    lines = [
        bundle({"fullUrl": uuid, "resource": PATIENT}),
        {"resourceType": "Observation", "id": "o", "subject": {"reference": uuid}},
    ]
    _, second = CONNECTOR.convert(b"\n".join(json.dumps(line).encode() for line in lines), NORTH)
    assert "reference" not in second.facts[0].resource["subject"]


@pytest.mark.parametrize(
    ("body", "kind", "keys"),
    [
        (PATIENT, "Patient", ("Patient/p1",)),
        ({"resourceType": "Observation", "subject": {"reference": "Patient/p1"}}, "Observation", ("Patient/p1",)),
        (bundle({"resource": PATIENT}, {"resource": {"resourceType": "Patient", "id": "p0"}}), "Bundle",
         ("Patient/p0", "Patient/p1")),
        ({"resourceType": "Organization"}, "Organization", ()),
        ({"resourceType": "Unicorn"}, "unreadable", ()),
        ([], "unreadable", ()),
    ],
)  # fmt: skip
def test_the_envelope_tells_kind_and_patients(body: Any, kind: str, keys: tuple[str, ...]) -> None:
    envelope = CONNECTOR.envelope(json.dumps(body).encode(), NORTH)
    assert (envelope.kind, envelope.keys, envelope.control_id) == (kind, keys, None)


def test_the_envelope_of_ndjson_and_of_exports_is_in_no_one_s_order() -> None:
    two = json.dumps(PATIENT).encode() + b"\n" + json.dumps(PATIENT).encode()
    assert CONNECTOR.envelope(two, NORTH) == type(CONNECTOR.envelope(two, NORTH))("NDJSON")
    many = bundle(*({"resource": {"resourceType": "Patient", "id": f"p{n}"}} for n in range(100)))
    assert CONNECTOR.envelope(json.dumps(many).encode(), NORTH).keys == ()
    assert CONNECTOR.envelope(b"{", NORTH).kind == "unreadable"


@pytest.mark.parametrize(
    ("timestamp", "sent_at"),
    [("2026-03-01T12:00:00-06:00", datetime(2026, 3, 1, 18, tzinfo=UTC)), ("soon", None), (7, None), (None, None)],
)
def test_a_bundle_tells_when_it_was_put_together(timestamp: Any, sent_at: datetime | None) -> None:
    body = json.dumps({**bundle({"resource": PATIENT}), "timestamp": timestamp}).encode()
    assert CONNECTOR.envelope(body, NORTH).sent_at == sent_at
    assert CONNECTOR.envelope(json.dumps(PATIENT).encode(), NORTH).sent_at is None


def test_a_document_nested_as_deep_as_json_readers_go_has_an_envelope() -> None:
    deep = b'{"resourceType":"Basic","a":' + b'{"a":' * 1000 + b"1" + b"}" * 1001
    assert CONNECTOR.envelope(deep, NORTH).kind in ("Basic", "unreadable")
    assert convert(deep).state == "rejected"
