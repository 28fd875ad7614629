"""Random questions about random resources are answered as by looking at each one: matches, order, pages, totals."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ehr_pm.record import search
from ehr_pm.record.searching.including import included
from ehr_pm.record.searching.sorting import Place
from hub_api.fhir.parameters import Request, read_request
from hub_core.fhir.canonical import Json
from pipelines.installation import Installation
from tests.integration.conftest import fresh_installation
from tests.integration.hub_api.hub import Hub
from tests.integration.searching.brute_force import BASE, World
from tests.integration.searching.population import Population
from tests.integration.searching.questions import Asked, questions, questions_of_codes_and_values

QUESTIONS = 60
MANY_QUESTIONS = 400
"""The same ones each time, unless WHOLECHART_TEST_SEED is `random`."""
INCLUDES = (
    ("_include", "Observation:subject"),
    ("_include", "Observation:performer:Practitioner"),
    ("_include", "Observation:derived-from"),
    ("_include", "Encounter:part-of"),
    ("_include", "Patient:general-practitioner"),
    ("_revinclude", "Observation:patient"),
    ("_revinclude", "Encounter:part-of"),
    ("_revinclude", "Observation:performer"),
)


class Recorded:
    """A population in a database of its own, and the same one to be looked at."""

    def __init__(self, installation: Installation, resources: list[Json]) -> None:
        self.installation = installation
        self.world = World(resources)
        self.ids: dict[str, list[str]] = {}
        for each in resources:
            self.ids.setdefault(each["resourceType"], []).append(each["id"])
        self.questions = questions(self.ids)

    def request(self, kind: str, asked: Asked) -> Request:
        return read_request(kind, asked, base=BASE, strict=True)

    def pages(self, wanted: Request, size: int) -> list[str]:
        """Return the ids of all matches, read page after page."""
        found: list[str] = []
        after: Place | None = None
        with self.installation.database.begin() as unit:
            while True:
                page = search.page(unit.driver, wanted.search, limit=size, after=after)
                found += [str(each.resource_id) for each in page.found]
                if page.end is None:
                    return found
                after = Place(page.end.resource_key, tuple(page.end.values))

    def count(self, wanted: Request) -> int:
        with self.installation.database.begin() as unit:
            return search.count(unit.driver, wanted.search)


@pytest.fixture(scope="module", params=[1, pytest.param(2, marks=pytest.mark.slow)])
def recorded(server: str, tmp_path_factory: pytest.TempPathFactory, request: Any) -> Iterator[Recorded]:
    """Return a population of one seed, recorded: pages of which are full among the newest keys, later, or not."""
    resources = Population(request.param).all
    folder = tmp_path_factory.mktemp("searching")
    with fresh_installation(server, folder) as installation, pytest.MonkeyPatch.context() as patched:
        patched.setattr(search, "WINDOW", len(resources) // 12)
        patched.setattr(search, "CANDIDATES", (2, 3))
        hub = Hub("", installation, FastAPI())
        hub.record(*resources)
        hub.query("ANALYZE")
        yield Recorded(installation, resources)


def check(recorded: Recorded, question: tuple[str, Asked, str, int]) -> None:
    kind, asked, order, size = question
    wanted = recorded.request(kind, [*asked, *([("_sort", order)] if order else [])])
    expected = recorded.world.found(kind, asked, order)
    assert recorded.pages(wanted, size) == expected
    assert recorded.count(wanted) == len(expected)


quietly = settings(
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@settings(quietly, max_examples=QUESTIONS)
@given(st.data())
def test_every_question_is_answered_as_by_looking_at_everything(recorded: Recorded, data: st.DataObject) -> None:
    check(recorded, data.draw(recorded.questions))


@settings(quietly, max_examples=QUESTIONS)
@given(questions_of_codes_and_values())
def test_results_are_found_by_what_they_are_and_say(recorded: Recorded, question: Any) -> None:
    check(recorded, question)


@pytest.mark.slow
@settings(
    quietly,
    max_examples=MANY_QUESTIONS,
    derandomize=os.environ.get("WHOLECHART_TEST_SEED") != "random",
    phases=list(Phase),
)
@given(st.data())
def test_many_questions_are_answered_as_by_looking_at_everything(recorded: Recorded, data: st.DataObject) -> None:
    check(recorded, data.draw(recorded.questions))


@pytest.mark.parametrize("include", INCLUDES, ids=lambda each: f"{each[0]}={each[1]}")
@pytest.mark.parametrize("kind", ["Observation", "Encounter", "Patient"])
def test_what_belongs_beside_matches_is_all_of_it_and_once(
    recorded: Recorded, kind: str, include: tuple[str, str]
) -> None:
    wanted = recorded.request(kind, [include])
    with recorded.installation.database.begin() as unit:
        found = search.page(unit.driver, wanted.search, limit=7).found
        beside = included(unit.driver, found, wanted.includes, reach=search.everything, limit=1000)
    ids = {str(each.resource_id) for each in found}
    keys = [f"{each.resource_type}/{each.resource_id}" for each in beside]
    assert len(keys) == len(set(keys))
    assert set(keys) == recorded.world.included(ids, include[1], is_reverse=include[0] == "_revinclude")


def test_an_include_that_is_repeated_follows_what_it_brought(recorded: Recorded) -> None:
    wanted = recorded.request("Observation", [("_include:iterate", "Observation:derived-from")])
    world = recorded.world
    with recorded.installation.database.begin() as unit:
        found = search.page(unit.driver, wanted.search, limit=3).found
        beside = included(unit.driver, found, wanted.includes, reach=search.everything, limit=1000)
    ids = {str(each.resource_id) for each in found}
    reached = set(ids)
    for _ in range(5):
        more = world.included(reached, "Observation:derived-from", is_reverse=False)
        reached |= {key.split("/")[1] for key in more}
    assert {str(each.resource_id) for each in beside} == reached - ids
