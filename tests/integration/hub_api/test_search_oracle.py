"""Searches against a brute-force oracle that reads every resource and knows nothing of the index."""
# ruff: noqa: S311 - a population that is the same each time, not a secret

from __future__ import annotations

import random
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import product
from typing import Any, TypeAlias

import pytest
from fastapi import FastAPI

from ehr_pm.record import search
from hub_api.fhir.parameters import read_request
from hub_core.fhir.canonical import Json
from pipelines.installation import Installation
from tests.integration.hub_api.hub import Hub, new_id

Case: TypeAlias = tuple[str, str, str, Callable[[Json], bool]]
"""Resource type, parameter, value, and whether a resource matches."""

FAMILIES = ("Núñez", "nunez", "O'Neill", "de la Cruz", "Smith", "Smithe", "100%_x", "Ångström")
SYSTEMS = ("urn:a", "urn:b", None)
CODES = ("1", "2", "2-7")
DATES = (
    "2024",
    "2024-02",
    "2024-02-29",
    "2024-02-29T23:30:00-05:00",
    "2024-03-01T04:30:00Z",
    "2024-03-01",
    "2023-12-31T23:59:59Z",
    "2025",
)


def plain(text: str) -> str:
    bare = unicodedata.normalize("NFKD", text)
    return "".join(letter for letter in bare if not unicodedata.combining(letter)).casefold()


def span(date: str) -> tuple[datetime, datetime]:
    """Return the interval of one of `DATES`, worked out by hand and not by the product."""
    if "T" in date:
        start = datetime.fromisoformat(date.replace("Z", "+00:00")).astimezone(UTC)
        return start, start + timedelta(seconds=1)
    parts = [int(part) for part in date.split("-")]
    year, month, day = [*parts, 1, 1][:3]
    start = datetime(year, month, day, tzinfo=UTC)
    if len(parts) == 3:
        return start, start + timedelta(days=1)
    if len(parts) == 2:
        return start, datetime(parts[0] + parts[1] // 12, parts[1] % 12 + 1, 1, tzinfo=UTC)
    return start, datetime(parts[0] + 1, 1, 1, tzinfo=UTC)


def compares(prefix: str, held: str, asked: str) -> bool:
    (start, end), (low, high) = span(held), span(asked)
    inside = low <= start and end <= high
    return {
        "eq": inside,
        "ne": not inside,
        "gt": end > high,
        "lt": start < low,
        "ge": end > high or inside,
        "le": start < low or inside,
        "sa": start >= high,
        "eb": end <= low,
    }[prefix]


def population(chance: random.Random) -> list[Json]:
    people = [
        {
            "resourceType": "Patient",
            "id": new_id(),
            "name": [{"family": chance.choice(FAMILIES), "given": [chance.choice(("Ada", "Álvaro"))]}],
            "gender": chance.choice(("female", "male")),
            "birthDate": chance.choice(DATES[:3]),
            "identifier": [_coded(chance, "value")],
        }
        for _ in range(40)
    ]
    results = [
        {
            "resourceType": "Observation",
            "id": new_id(),
            "status": chance.choice(("final", "preliminary")),
            "code": {"coding": [_coded(chance, "code"), _coded(chance, "code")]},
            "subject": {"reference": f"Patient/{chance.choice(people)['id']}"},
            "effectiveDateTime": chance.choice(DATES),
        }
        for _ in range(120)
    ]
    return [*people, *results]


def _coded(chance: random.Random, key: str) -> Json:
    system = chance.choice(SYSTEMS)
    return {key: chance.choice(CODES), **({"system": system} if system else {})}


def cases(resources: list[Json]) -> Iterator[Case]:
    """Yield what is asked and who should be found; each kind of parameter in every form it has."""
    for name in (*FAMILIES, "nun", "NUÑ", "smit", "%", "_", "100%", "o'"):
        yield "Patient", "family", name, partial(_begins, name)
        yield "Patient", "family:contains", name, partial(_holds, name)
        yield "Patient", "family:exact", name, partial(_is, name)
    for kind, param in (("Patient", "identifier"), ("Observation", "code")):
        for code in (*CODES, "3"):
            yield kind, param, code, partial(_has_code, code, SYSTEMS)
            yield kind, param, f"|{code}", partial(_has_code, code, (None,))
            for system in ("urn:a", "urn:c"):
                yield kind, param, f"{system}|{code}", partial(_has_code, code, (system,))
        yield kind, param, "urn:b|", lambda r: any(system == "urn:b" for system, _ in _codes(r))
        yield (
            kind,
            param,
            "1,urn:a|2",
            lambda r: any(code == "1" or (s, code) == ("urn:a", "2") for s, code in _codes(r)),
        )
    for prefix, date in product(("eq", "ne", "gt", "lt", "ge", "le", "sa", "eb"), DATES):
        yield "Observation", "date", prefix + date, partial(_was, "effectiveDateTime", prefix, date)
        yield "Patient", "birthdate", prefix + date, partial(_was, "birthDate", prefix, date)
    some = resources[0]["id"]
    for asked in (f"Patient/{some}", some, f"http://hub/fhir/Patient/{some}"):
        yield "Observation", "subject", asked, partial(_is_of, some)
        yield "Observation", "patient", asked, partial(_is_of, some)
    yield "Observation", "subject:Patient", some, partial(_is_of, some)
    yield "Observation", "subject:Group", some, lambda _: False
    yield "Patient", "_id", f"{some},not-an-id", lambda r: bool(r["id"] == some)
    yield "Patient", "gender", "female", lambda r: bool(r["gender"] == "female")
    yield "Observation", "status", "final,amended", lambda r: bool(r["status"] == "final")


def _begins(name: str, patient: Json) -> bool:
    return _family(patient).startswith(plain(name))


def _holds(name: str, patient: Json) -> bool:
    return plain(name) in _family(patient)


def _is(name: str, patient: Json) -> bool:
    return bool(patient["name"][0]["family"] == name)


def _has_code(code: str, systems: Sequence[str | None], resource: Json) -> bool:
    return any(held == code and system in systems for system, held in _codes(resource))


def _was(element: str, prefix: str, date: str, resource: Json) -> bool:
    return compares(prefix, resource[element], date)


def _is_of(patient_id: str, observation: Json) -> bool:
    return bool(observation["subject"]["reference"] == f"Patient/{patient_id}")


def _family(patient: Json) -> str:
    return plain(patient["name"][0]["family"])


def _codes(resource: Json) -> list[tuple[str | None, str]]:
    if resource["resourceType"] == "Patient":
        return [(each.get("system"), each["value"]) for each in resource["identifier"]]
    return [(each.get("system"), each["code"]) for each in resource["code"]["coding"]]


@pytest.mark.parametrize("seed", [1, 2])
def test_the_index_answers_like_the_oracle(installation: Installation, seed: int) -> None:
    chance = random.Random(seed)
    resources = population(chance)
    Hub("", installation, FastAPI()).record(*resources)
    known = list(cases(resources))
    pairs = [(one, other) for one in known for other in chance.sample(known, 2) if one[0] == other[0]]
    matched = 0
    with installation.database.begin() as unit:
        for combined in [*((case,) for case in known), *pairs]:
            kind = combined[0][0]
            asked = [(param, value) for _, param, value, _ in combined]
            request = read_request(kind, asked, base="http://hub/fhir", strict=True)
            found = search.find(unit.driver, request.search, limit=1000)
            expected = {r["id"] for r in resources if r["resourceType"] == kind and all(c[3](r) for c in combined)}
            assert {str(each.resource_id) for each in found} == expected, asked
            assert search.count(unit.driver, request.search) == len(expected)
            matched += bool(expected)
    assert matched > 100


def test_a_page_ends_where_the_next_begins(installation: Installation) -> None:
    resources = population(random.Random(3))
    Hub("", installation, FastAPI()).record(*resources)
    wanted = read_request("Observation", [("date", "ge2024"), ("status", "final")], base="", strict=True).search
    with installation.database.begin() as unit:
        whole = search.find(unit.driver, wanted, limit=1000)
        pages: list[Any] = []
        before = None
        while page := search.find(unit.driver, wanted, limit=7, before=before):
            pages += page
            before = page[-1].resource_key
    assert pages == whole
