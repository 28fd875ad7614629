"""What a FHIR server finds reaches the record page by page: all of it, then what is new."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hub_core.errors import PartnerError
from hub_core.feeds import Feed
from hub_core.fhir_servers import Search
from pipelines.installation import Installation
from pipelines.pull_state import Step
from pipelines.pulling import Puller, folder_of, pull
from tests.integration.dying import die_at_every_second_note
from tests.unit.connectors.transport.search_server import Answer, Found, serving


def resource(kind: str, name: str, day: int = 1, **elements: Any) -> dict[str, Any]:
    return {"resourceType": kind, "id": name, "meta": {"lastUpdated": f"2026-03-{day:02}T00:00:00Z"}, **elements}


def chart() -> list[dict[str, Any]]:
    patients = [resource("Patient", f"p{number}") for number in range(7)]
    return patients + [
        resource("Condition", f"c{number}", subject={"reference": f"Patient/p{number}"}) for number in range(5)
    ]


def feed_of(found: Found, **search: Any) -> Feed:
    return Feed(
        name="ortho",
        source="ortho",
        format="fhir",
        transport="rest",
        search=Search(url=found.base, queries=("Patient", "Condition?category=problem"), page_size=2, **search),
    )


def known(installation: Installation) -> list[tuple[Any, ...]]:
    """Apply what is stored, and return how much the record has of each type, and in how many versions."""
    for _ in installation.worker().drain():
        pass
    with installation.database.begin() as unit:
        return unit.driver.execute(
            "SELECT resource_type, count(*) FILTER (WHERE NOT deleted)::int, sum(version)::int FROM resource"
            " WHERE authority > 0 GROUP BY 1 ORDER BY 1"
        ).fetchall()


def nothing(_: object) -> None:
    """Say nothing, wait for nothing."""


def test_all_pages_of_all_searches_are_stored_then_what_is_new_and_what_is_gone(installation: Installation) -> None:
    waited: list[float] = []
    with serving(Found(chart(), deleted=[])) as found:
        found.instead = [None, Answer(status=503, headers={"Retry-After": "3"}), None, Answer(b"<html>")]
        feed = feed_of(found, deletions=True)
        done = pull(installation, feed, nothing, waited.append)
        assert (done.records, done.refused, done.state.since) == (12, 0, "2026-03-10T11:55:00.000Z")
        assert known(installation) == [("Condition", 5, 5), ("Patient", 7, 7)]
        assert 1 < sorted(waited)[-2] <= 3 < max(waited) <= 20
        found.resources += [resource("Patient", "p0", 11, gender="female"), resource("Patient", "p9", 11)]
        found.deleted, before = ["Patient/p6"], len(found.asked)
        pull(installation, feed, nothing, nothing)
    assert known(installation) == [("Condition", 5, 5), ("Patient", 7, 10)]
    assert found.asked[before:] == [
        "/r4/Patient?_count=2&_lastUpdated=gt2026-03-10T11%3A55%3A00.000Z",
        "/r4/Condition?category=problem&_count=2&_lastUpdated=gt2026-03-10T11%3A55%3A00.000Z",
        "/r4/Patient/_history?_since=2026-03-10T11%3A55%3A00.000Z&_count=2",
        "/r4/Condition/_history?_since=2026-03-10T11%3A55%3A00.000Z&_count=2",
    ]


def test_a_crash_at_any_step_loses_and_doubles_nothing(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    die_at_every_second_note(monkeypatch)
    done: Step | None = None
    with serving(Found(chart())) as found:
        while done is None and len(found.asked) < 50:
            try:
                done = pull(installation, feed_of(found), nothing, nothing)
            except KeyboardInterrupt:
                continue
    assert done is not None
    assert known(installation) == [("Condition", 5, 5), ("Patient", 7, 7)]


@pytest.mark.parametrize(
    "next_of",
    [
        lambda path, _: path,
        lambda path, following: following or "Patient?_count=2&_offset=0",
        lambda path, _: f"Patient?_count=2&_offset={100 + len(path)}{'0' * (len(path) % 7)}",
    ],
    ids=["itself", "a ring", "emptiness"],
)
def test_pages_that_lead_nowhere_end(
    installation: Installation, next_of: Callable[[str, str | None], str | None]
) -> None:
    with serving(Found(chart(), next_of=next_of)) as found:
        feed = feed_of(found)
        with pytest.raises(PartnerError, match="nowhere"):
            pull(installation, feed, nothing, nothing)
        looks = len(found.asked)
        Puller(installation, [feed]).tick()  # not due yet
    assert len(found.asked) == looks < 120
    assert {path.name for path in folder_of(installation.settings, feed).glob("*.part")} == set()
