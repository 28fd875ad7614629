"""FHIRPath Patch: what each operation makes of a resource, along the scenarios of FHIR's suite, and what is refused."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub_api.fhir.outcome import OutcomeError
from hub_api.fhir.patches.fhirpath_patch import patched
from hub_api.fhir.patches.json_patch import MOST_OPERATIONS
from hub_api.fhir.patches.operations import read_operations
from hub_core.fhir.canonical import Json, dumps, load_object
from hub_core.fhir.checking import faults

NUMBERS = [{"system": "http://north.example", "value": each} for each in "abcd"]
WHOLE: Json = {
    "resourceType": "Patient",
    "id": "p1",
    "birthDate": "1920-01-01",
    "deceasedBoolean": False,
    "maritalStatus": {"id": "1", "text": "married"},
    "identifier": NUMBERS,
    "name": [
        {"use": "official", "given": ["Ada", "Ngozi", "May"], "_given": [None, {"id": "second"}, None]},
        {"use": "nickname", "text": "Ade"},
    ],
    "contact": [{"name": {"text": "a name"}, "gender": "male"}],
    "extension": [{"url": "http://north.example/bed", "valueInteger": 3}],
    "contained": [{"resourceType": "Organization", "id": "o", "name": "East"}],
}


def operation(kind: str, path: str, **parts: Any) -> Json:
    """Return one operation; `value` is said by its name, as `valueDate="2020"`, or as `parts` of no data type."""
    named = {"name": "valueString", "index": "valueInteger", "source": "valueInteger", "destination": "valueInteger"}
    told: list[Json] = [{"name": "type", "valueCode": kind}, {"name": "path", "valueString": path}]
    told += [{"name": name, kind: parts[name]} for name, kind in named.items() if name in parts]
    value = {name: each for name, each in parts.items() if name.startswith(("value", "_value", "part", "resource"))}
    return {"name": "operation", "part": [*told, {"name": "value", **value}] if value else told}


def made(*operations: Json, of: Json = WHOLE) -> Json:
    parameters = {"resourceType": "Parameters", "parameter": list(operations)}
    result = patched(copy.deepcopy(of), read_operations(parameters))
    assert not list(faults(result)), "R4 has it so"
    return result


def changed(**elements: Any) -> Json:
    """Return the whole with other elements, without those that are None."""
    return {name: each for name, each in {**WHOLE, **elements}.items() if each is not None}


ADA, ADE = WHOLE["name"]
[RELATIVE] = WHOLE["contact"]
A, B, C, D = NUMBERS
NEW = {"system": "http://north.example", "value": "new"}
MADE: dict[str, tuple[list[Json], Json]] = {
    "nothing": ([], {}),
    "a primitive replaced": (
        [operation("replace", "Patient.birthDate", valueDate="1930-01-01")], {"birthDate": "1930-01-01"}),
    "a primitive deleted": ([operation("delete", "birthDate")], {"birthDate": None}),
    "what is not there deleted": ([operation("delete", "Patient.photo")], {}),
    "a primitive added": ([operation("add", "Patient", name="gender", valueCode="female")], {"gender": "female"}),
    "a nested one replaced": (
        [operation("replace", "Patient.contact[0].gender", valueCode="female")],
        {"contact": [{**RELATIVE, "gender": "female"}]}),
    "the only one of an object deleted": (
        [operation("delete", "Patient.contact[0].name.text")], {"contact": [{"gender": "male"}]}),
    "the only one of a list deleted": ([operation("delete", "Patient.contact[0]")], {"contact": None}),
    "all of an object deleted": (
        [operation("delete", f"Patient.contact.{each}") for each in ("name.text", "gender")], {"contact": None}),
    "a nested one added": (
        [operation("add", "Patient.contact.first()", name="relationship", valueCodeableConcept={"text": "x"})],
        {"contact": [{**RELATIVE, "relationship": [{"text": "x"}]}]}),
    "an object replaced": (
        [operation("replace", "Patient.maritalStatus", valueCodeableConcept={"id": "2", "text": "not married"})],
        {"maritalStatus": {"id": "2", "text": "not married"}}),
    "an object of no data type added": (
        [operation("add", "Patient", name="contact", part=[
            {"name": "name", "valueHumanName": {"text": "B"}},
            {"name": "telecom", "valueContactPoint": {"value": "1"}},
            {"name": "telecom", "valueContactPoint": {"value": "2"}}])],
        {"contact": [RELATIVE, {"name": {"text": "B"}, "telecom": [{"value": "1"}, {"value": "2"}]}]}),
    "added to a list": (
        [operation("add", "Patient", name="identifier", valueIdentifier=NEW)], {"identifier": [A, B, C, D, NEW]}),
    "inserted first": (
        [operation("insert", "Patient.identifier", index=0, valueIdentifier=NEW)], {"identifier": [NEW, A, B, C, D]}),
    "inserted last": (
        [operation("insert", "Patient.identifier", index=4, valueIdentifier=NEW)], {"identifier": [A, B, C, D, NEW]}),
    "inserted into no list yet": (
        [operation("insert", "Patient.photo", index=0, valueAttachment={"title": "x"})], {"photo": [{"title": "x"}]}),
    "deleted from a list": ([operation("delete", "Patient.identifier[1]")], {"identifier": [A, C, D]}),
    "moved up": (
        [operation("move", "Patient.identifier", source=3, destination=1)], {"identifier": [A, D, B, C]}),
    "moved to the end": (
        [operation("move", "Patient.identifier", source=0, destination=3)], {"identifier": [B, C, D, A]}),
    "moved one after the other": (
        [operation("move", "Patient.identifier", source=3, destination=each) for each in (0, 1, 2)],
        {"identifier": [D, C, B, A]}),
    "one that a condition finds": (
        [operation("replace", "Patient.identifier.where(value = 'c' and system.exists()).value", valueString="z")],
        {"identifier": [A, B, {**C, "value": "z"}, D]}),
    "what stands beside a primitive moves along": (
        [operation("move", "Patient.name[0].given", source=1, destination=0)],
        {"name": [{**ADA, "given": ["Ngozi", "Ada", "May"], "_given": [{"id": "second"}, None, None]}, ADE]}),
    "a primitive with extensions in a list": (
        [operation("replace", "Patient.name[0].given[1]", valueString="Ify")],
        {"name": [{"use": "official", "given": ["Ada", "Ify", "May"]}, ADE]}),
    "the extension of a primitive added": (
        [operation("add", "Patient.birthDate", name="extension", valueExtension={"url": "http://a", "valueCode": "b"})],
        {"_birthDate": {"extension": [{"url": "http://a", "valueCode": "b"}]}}),
    "the extension of a primitive in a list added": (
        [operation("add", "Patient.name[0].given.last()", name="id", valueString="third")],
        {"name": [{**ADA, "_given": [None, {"id": "second"}, {"id": "third"}]}, ADE]}),
    "what stands beside a primitive deleted": (
        [operation("delete", "Patient.name[0].given[1].id")],
        {"name": [{"use": "official", "given": ADA["given"]}, ADE]}),
    "a choice replaced by one of another type": (
        [operation("replace", "Patient.deceased", valueDateTime="2020-02-01")],
        {"deceasedBoolean": None, "deceasedDateTime": "2020-02-01"}),
    "a choice by its type": ([operation("delete", "Patient.deceased.ofType(boolean)")], {"deceasedBoolean": None}),
    "an extension": (
        [operation("replace", "Patient.extension('http://north.example/bed').value", valueInteger=4)],
        {"extension": [{"url": "http://north.example/bed", "valueInteger": 4}]}),
    "a contained resource": (
        [operation("replace", "Patient.contained.ofType(Organization).name", valueString="West")],
        {"contained": [{"resourceType": "Organization", "id": "o", "name": "West"}]}),
    "a resource contained": (
        [operation("add", "Patient", name="contained", resource={"resourceType": "Location", "id": "l"})],
        {"contained": [*WHOLE["contained"], {"resourceType": "Location", "id": "l"}]}),
}  # fmt: skip


@pytest.mark.parametrize("name", MADE)
def test_an_operation_makes_what_the_specification_says(name: str) -> None:
    operations, elements = MADE[name]
    assert made(*operations) == changed(**elements)


def test_digits_and_what_is_given_twice_stay() -> None:
    given = load_object('{"value":1.10}')
    twice = operation("add", "Observation", name="component", part=[{"name": "valueQuantity", "valueQuantity": given}])
    twice["part"][3]["part"].append({"name": "code", "valueCodeableConcept": {"text": "x"}})
    twice["part"][3]["part"][0]["name"] = "value"
    seen = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}}
    result = made(twice, twice, operation("delete", "Observation.component[0].value.unit"), of=seen)
    assert dumps(result).count(b'"valueQuantity":{"value":1.10}') == 2


UNFIT = {
    "several": operation("delete", "Patient.identifier"),
    "nothing to replace": operation("replace", "Patient.photo", valueAttachment={}),
    "nothing to add to": operation("add", "Patient.name.where(use = 'old').period", name="end", valueDate="2020"),
    "a value already": operation("add", "Patient", name="birthDate", valueDate="2020"),
    "a choice that has a value": operation("add", "Patient", name="deceased", valueDateTime="2020"),
    "no such element": operation("add", "Patient", name="shoeSize", valueInteger=44),
    "no such type of it": operation("replace", "Patient.deceased", valueQuantity={"value": 1}),
    "behind the end": operation("insert", "Patient.identifier", index=5, valueIdentifier=NEW),
    "moved from behind the end": operation("move", "Patient.identifier", source=4, destination=0),
    "moved behind the end": operation("move", "Patient.identifier", source=0, destination=4),
    "no list": operation("insert", "Patient.birthDate", index=0, valueDate="2020"),
    "several lists": operation("move", "Patient.name.given", source=0, destination=0),
    "the whole": operation("delete", "Patient"),
    "another": operation("replace", "Patient", resource={"resourceType": "Patient"}),
    "up": operation("delete", "Patient.contact.repeat(name)"),
    "away": operation("delete", "Patient.managingOrganization.resolve().name"),
    "much": operation("delete", "Patient.name.where(given.aggregate($this & $total).exists())"),
    "a variable": operation("delete", "%resource.birthDate"),
    "no value of its type": operation("add", "Patient", name="extension", valueString="a"),
    "an object for a primitive": operation("replace", "Patient.birthDate", valuePeriod={"start": "2020"}),
    "a primitive in parts": operation("add", "Patient", name="active", part=[{"name": "id", "valueString": "a"}]),
    "what means nothing": operation("delete", "Patient.name.where(given = 'a' and identifier or 3).use"),
}


@pytest.mark.parametrize("name", UNFIT)
def test_what_does_not_fit_is_refused_and_named(name: str) -> None:
    with pytest.raises(OutcomeError, match=r"operation 1 \(") as refused:
        made(operation("delete", "Patient.photo"), UNFIT[name])
    assert refused.value.status == 422


GOOD = operation("delete", "Patient.photo")
UNREADABLE: dict[str, Any] = {
    "no Parameters": {"resourceType": "Patient"},
    "no list": {"parameter": {}},
    "too many": {"parameter": [GOOD] * (MOST_OPERATIONS + 1)},
    "no operation": {"parameter": [{"name": "op", "part": GOOD["part"]}]},
    "no such operation": {"parameter": [operation("copy", "Patient.photo")]},
    "no path": {"parameter": [{"name": "operation", "part": GOOD["part"][:1]}]},
    "no value": {"parameter": [operation("replace", "Patient.photo")]},
    "two values": {"parameter": [operation("replace", "Patient.photo", valueCode="a", valueString="b")]},
    "an empty value": {"parameter": [operation("replace", "Patient.photo", valueCode=None)]},
    "no number": {"parameter": [operation("insert", "Patient.photo", index="0", valueCode="a")]},
    "a number below": {"parameter": [operation("move", "Patient.photo", source=-1, destination=0)]},
    "what is not asked for": {"parameter": [operation("delete", "Patient.photo", valueCode="a")]},
    "no FHIRPath": {"parameter": [operation("delete", "Patient..photo")]},
    "too long a path": {"parameter": [operation("delete", "Patient.name" + ".first()" * 130)]},
    "no object": {"parameter": ["delete"]},
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_is_no_patch_is_the_senders_mistake(name: str) -> None:
    with pytest.raises(OutcomeError) as refused:
        read_operations({"resourceType": "Parameters", **UNREADABLE[name]})
    assert refused.value.status == 400


PATHS = (
    "Patient",
    "Patient.name",
    "name[0].given[1]",
    "name.where(given = 'Ada').given",
    "name.where($this)",
    "birthDate",
    "birthDate.extension('http://north.example/bed')",
    "extension('http://north.example/bed')",
    "extension('http://north.example/bed').value",
    "contained.ofType(Organization).name",
    "contact.name",
    "deceased.ofType(boolean)",
)
VALUES: tuple[Json, ...] = (
    {"valueString": "a"},
    {"valueString": ["a"]},
    {"_valueString": {"id": "a"}},
    {"valueBoolean": True},
    {"valueHumanName": {"family": "Okafor"}},
    {"valueHumanName": None, "_valueHumanName": {"id": "a"}},
    {"valueExtension": "a"},
    {"valueExtension": {"url": "http://north.example/bed"}},
    {"resource": ["a"]},
    {"part": [{"name": "family", "valueString": "a"}]},
    {"part": [{"name": "url", "valueUri": "a"}, {"name": "value", "valueString": "a"}]},
)
ELEMENTS = ("name", "extension", "given", "birthDate", "deceased", "value", "contained", "id")
PLACES = st.integers(0, 3)
ANY = st.one_of(
    st.builds(
        lambda path, name, value: operation("add", path, name=name, **value),
        st.sampled_from(PATHS),
        st.sampled_from(ELEMENTS),
        st.sampled_from(VALUES),
    ),
    st.builds(
        lambda path, index, value: operation("insert", path, index=index, **value),
        st.sampled_from(PATHS),
        PLACES,
        st.sampled_from(VALUES),
    ),
    st.builds(lambda path, value: operation("replace", path, **value), st.sampled_from(PATHS), st.sampled_from(VALUES)),
    st.builds(
        lambda path, one, other: operation("move", path, source=one, destination=other),
        st.sampled_from(PATHS),
        PLACES,
        PLACES,
    ),
    st.builds(lambda path: operation("delete", path), st.sampled_from(PATHS)),
)


@given(st.lists(ANY, min_size=1, max_size=5))
def test_whatever_is_sent_is_applied_or_refused(operations: list[Json]) -> None:
    try:
        left = patched(copy.deepcopy(WHOLE), read_operations({"resourceType": "Parameters", "parameter": operations}))
    except OutcomeError:
        return
    assert left["resourceType"] == "Patient"
