"""Which identifiers tie records to a person, who was merged into whom, and how groups form."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ehr_pm.identity.crosswalk import merged_pairs, replaced_pairs
from ehr_pm.identity.grouping import Groups
from ehr_pm.identity.identifiers import linking_identifiers


def patient(**identifier: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": "p", "identifier": [identifier]}


def typed(code: str) -> dict[str, Any]:
    return {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": code}]}


def test_a_medical_record_number_links() -> None:
    record = patient(system="urn:id:RIVER", value="1234", type=typed("MR"))
    assert list(linking_identifiers(record)) == [("urn:id:RIVER", "1234")]


@pytest.mark.parametrize(
    "identifier",
    [
        {"value": "1234"},
        {"system": "urn:id:RIVER"},
        {"system": "urn:id:RIVER", "value": "1234", "use": "old"},
        {"system": "urn:id:RIVER", "value": "0000"},
        {"system": "urn:id:RIVER", "value": "1234", "type": typed("AN")},
        {"system": "urn:id:RIVER", "value": "1234", "type": typed("SS")},
        {"system": "http://hl7.org/fhir/sid/us-ssn", "value": "123456789"},
    ],
    ids=["no assigner", "no value", "no longer used", "placeholder", "account", "social security", "by its system"],
)
def test_what_others_may_share_does_not_link(identifier: dict[str, Any]) -> None:
    assert list(linking_identifiers(patient(**identifier))) == []


STAYS, GOES = "00000000-0000-5000-8000-000000000001", "00000000-0000-5000-8000-000000000002"


def linkage(**changes: Any) -> dict[str, Any]:
    item = [
        {"type": "source", "resource": {"reference": f"Patient/{STAYS}"}},
        {"type": "alternate", "resource": {"reference": f"Patient/{GOES}"}},
    ]
    return {"resourceType": "Linkage", "active": True, "item": item, **changes}


def test_a_linkage_names_who_survives() -> None:
    assert list(merged_pairs(linkage())) == [(STAYS, GOES)]


def test_a_linkage_that_was_taken_back_merges_nobody() -> None:
    assert list(merged_pairs(linkage(active=False))) == []


pairs = st.lists(st.tuples(st.sampled_from("abcdefgh"), st.sampled_from("abcdefgh")), max_size=12)


@given(pairs)
def test_groups_do_not_depend_on_the_order_of_joining(joins: list[tuple[str, str]]) -> None:
    one, other = Groups("abcdefgh"), Groups("abcdefgh")
    for left, right in joins:
        one.join(left, right)
    for left, right in reversed(joins):
        other.join(right, left)
    assert list(one) == list(other)
    assert sorted(member for group in one for member in group) == list("abcdefgh")
    assert all(any(left in group and right in group for group in one) for left, right in joins)


@pytest.mark.parametrize(
    ("link", "pairs"),
    [
        ({"type": "replaced-by", "other": {"reference": f"Patient/{STAYS}"}}, [(STAYS, GOES)]),
        ({"type": "seealso", "other": {"reference": f"Patient/{STAYS}"}}, []),
        ({"type": "replaced-by", "other": {"reference": "Patient/not-an-id"}}, []),
        ({"type": "replaced-by"}, []),
        ("replaced-by", []),
    ],
)
def test_a_patient_says_itself_who_replaced_it(link: object, pairs: list[tuple[str, str]]) -> None:
    assert list(replaced_pairs({"resourceType": "Patient", "id": GOES, "link": [link]})) == pairs


def test_a_patient_says_itself_whom_it_replaces() -> None:
    link = {"type": "replaces", "other": {"reference": f"Patient/{GOES}"}}
    assert list(replaced_pairs({"resourceType": "Patient", "id": STAYS, "link": [link]})) == [(STAYS, GOES)]
