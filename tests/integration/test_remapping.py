"""After a mapping changed, the record is made anew from kept bytes: as if the new mapping had always been there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from connectors import registry
from connectors.connector import Authority, Fact, Origin, Outcome
from connectors.fhir.connector import FHIRConnector
from ehr_pm.record import remaking
from ehr_pm.record.bodies import unpack
from hub_core.errors import ConflictError
from hub_core.fhir.canonical import Json, load_object
from hub_core.fhir.ids import derived_id
from hub_core.messages import queue
from hub_core.messages.arrival import Arrival
from pipelines.cli import wholechart
from pipelines.installation import Installation
from pipelines.remapping import Remapping, remap, sources
from tests.integration.conftest import fresh_installation

CURRENT = """
SELECT r.resource_type, r.resource_id::text, r.deleted, r.authority, r.event_at, r.first_event_at, r.arrival,
    r.position, r.content_sha, v.body
FROM resource r JOIN resource_version v USING (batch_key, ordinal)
WHERE NOT r.deleted OR r.authority > 0 ORDER BY 1, 2
"""
"""What stands, but for the tombstones of what only the older mapping made."""


class Older(FHIRConnector):
    """An older mapping, wrong in each way a mapping can be."""

    mapping_version = "fhir-0"

    def convert(self, body: bytes, origin: Origin) -> Iterator[Outcome]:
        for outcome in super().convert(body, origin):
            if b"unreadable to the older" in body:
                yield Outcome(outcome.position, outcome.kind, "rejected")
                continue
            yield replace(outcome, facts=tuple(one for fact in outcome.facts for one in self._older(fact, origin)))

    def _older(self, fact: Fact, origin: Origin) -> Iterator[Fact]:
        kind, resource = fact.resource["resourceType"], dict(fact.resource)
        if kind == "Encounter":  # under another id, and with something nobody said beside it
            resource["id"] = derived_id(origin.source, kind, f"old-{fact.source_id}")
            extra = {"resourceType": "Basic", "id": derived_id(origin.source, "Basic", fact.source_id)}
            yield replace(fact, resource=extra)
        if kind == "Patient":
            resource.pop("gender", None)
        if kind == "Practitioner" and fact.event_at:  # the first word counted as the last, and as the earliest
            is_first = "first" in json.dumps(resource)
            fact = replace(fact, event_at=fact.event_at + timedelta(days=9) * (1 if is_first else -1))
        if kind == "Location":  # in passing
            fact = replace(fact, authority=Authority.MENTION)
        if kind != "Device":  # nothing was made of devices
            yield replace(fact, resource=resource)


def said(kind: str, key: str, day: int, **elements: Any) -> Json:
    return {"resourceType": kind, "id": key, "meta": {"lastUpdated": f"2026-03-{day:02}T10:00:00Z"}, **elements}


STORY = [
    said("Patient", "p1", 1, gender="female", birthDate="1980-01-01"),
    said("Patient", "p2", 1, gender="male"),
    said("Encounter", "e1", 2, status="planned", subject={"reference": "Patient/p1"}),
    said("Encounter", "e1", 3, status="finished", subject={"reference": "Patient/p1"}),
    said("Practitioner", "d1", 2, name=[{"family": "first"}]),
    said("Practitioner", "d1", 8, name=[{"family": "second"}]),
    said("Location", "l1", 2, name="East"),
    said("Location", "l1", 1, name="East, as it was called"),
    said("Device", "v1", 2, status="active"),
    said("Organization", "o1", 2, name="unreadable to the older mapping"),
    said("Condition", "c1", 2, subject={"reference": "Patient/p1"}, recordedDate="2026-01-01"),
]


def arrival(resource: Json, feed: str = "clinic", source: str = "clinic") -> Arrival:
    body = json.dumps(resource).encode()
    keys = FHIRConnector().envelope(body, Origin(source)).keys
    return Arrival(feed, source, "fhir", resource["resourceType"], body, keys=keys)


def take(installation: Installation, resources: list[Json]) -> None:
    for resource in resources:
        installation.store.take([arrival(resource)])
    for _ in installation.worker().drain():
        pass


def rows(installation: Installation, query: str) -> list[tuple[Any, ...]]:
    with installation.database.begin() as unit:
        return unit.driver.execute(query).fetchall()


@pytest.fixture
def an_older_mapping(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Let FHIR be read by the older mapping, until this is undone."""
    monkeypatch.setattr(registry, "CONNECTORS", {**registry.CONNECTORS, "fhir": Older()})
    return monkeypatch


@pytest.fixture
def upgraded(installation: Installation, an_older_mapping: pytest.MonkeyPatch) -> Installation:
    """Return an installation whose messages the older mapping read, and which has the new one by now."""
    take(installation, STORY)
    an_older_mapping.undo()
    return installation


@pytest.fixture
def born_later(server: str, tmp_path: Path) -> Iterator[Installation]:
    """Return an installation that never knew the older mapping."""
    with fresh_installation(server, tmp_path / "later") as opened:
        yield opened


def standing(installation: Installation) -> list[tuple[Any, ...]]:
    return [(*row, content(body)) for *row, body in rows(installation, CURRENT)]


def content(body: bytes) -> Json:
    """Return what a version says, without when we wrote it."""
    resource = load_object(unpack(body))
    return {**resource, "meta": {**resource["meta"], "versionId": "", "lastUpdated": ""}}


def test_the_record_ends_as_if_the_new_mapping_had_always_been_there(
    upgraded: Installation, born_later: Installation
) -> None:
    take(born_later, STORY)
    assert standing(upgraded) != standing(born_later)
    remap(upgraded, "clinic")
    assert standing(upgraded) == standing(born_later)
    told = rows(upgraded, "SELECT DISTINCT mapping_version, state FROM message")
    assert told == [(FHIRConnector.mapping_version, "processed")]
    gone = rows(upgraded, "SELECT resource_type, version FROM resource WHERE deleted ORDER BY 1")
    assert gone == [("Basic", 2), ("Encounter", 3)]


def test_only_what_differs_has_a_new_version_and_a_second_time_changes_nothing(upgraded: Installation) -> None:
    remap(upgraded, "clinic")
    versions = rows(
        upgraded, "SELECT resource_type, max(version) FROM resource WHERE NOT deleted GROUP BY 1 ORDER BY 1"
    )
    # Since when the place is known is news to readers of the change log: what was said in passing did not count.
    assert dict(versions) == {
        "Condition": 1, "Device": 1, "Encounter": 2, "Location": 2, "Organization": 1, "Patient": 2, "Practitioner": 2,
    }  # fmt: skip
    before = rows(upgraded, "SELECT count(*) FROM resource_version")
    assert remap(upgraded, "clinic") == Remapping("clinic")
    assert sources(upgraded) == []
    assert rows(upgraded, "SELECT count(*) FROM resource_version") == before


def test_a_dry_run_tells_what_would_change_and_changes_nothing(upgraded: Installation) -> None:
    before = standing(upgraded)
    settings = upgraded.settings
    environment = {"WHOLECHART_DATABASE_URL": str(settings.database_url), "WHOLECHART_DATA_DIR": str(settings.data_dir)}
    answer = CliRunner().invoke(wholechart, ["remap", "clinic", "--dry-run", "--json"], env=environment)
    [told] = json.loads(answer.output)
    assert (told["messages"], told["read"], told["lost"]) == (11, 11, 0)
    assert [row for row in told["differences"] if row[1] != "same"] == [
        ["Basic", "withdrawn", 1],
        ["Device", "created", 1],
        ["Encounter", "created", 1],
        ["Encounter", "withdrawn", 1],
        ["Organization", "created", 1],
        ["Patient", "changed", 2],
        ["Practitioner", "changed", 1],
    ]
    assert standing(upgraded) == before
    assert sources(upgraded) == ["clinic"]


def test_interrupted_anywhere_it_is_finished_by_a_later_run(
    upgraded: Installation, born_later: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    take(born_later, STORY)
    for place in ("rank_anew", "withdraw", "wanted"):
        with monkeypatch.context() as broken:
            broken.setattr(remaking, place, _interrupt)
            with pytest.raises(KeyboardInterrupt):
                remap(upgraded, "clinic")
    applied, replay = iter(range(3)), queue.replay
    small = replace(upgraded, settings=upgraded.settings.model_copy(update={"worker_batch": 2}))

    def put_some_back(connection: Any, message_ids: Any) -> int:
        return replay(connection, message_ids) if next(applied, None) is not None else _interrupt()

    with monkeypatch.context() as broken:
        broken.setattr(queue, "replay", put_some_back)
        with pytest.raises(KeyboardInterrupt):
            remap(small, "clinic")
    assert sources(upgraded) == ["clinic"]
    remap(upgraded, "clinic")
    assert standing(upgraded) == standing(born_later)


def _interrupt(*_: object) -> int:
    raise KeyboardInterrupt


def test_messages_that_come_meanwhile_are_judged_by_the_new_ranks(
    upgraded: Installation, born_later: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The older mapping gave the first word about the practitioner a date that hides what comes during the run."""
    news = [said("Practitioner", "d1", 9, name=[{"family": "third"}]), said("Patient", "p2", 9, gender="other")]
    compare = remaking.compare

    def meanwhile(*values: Any) -> Any:
        take(upgraded, news)
        return compare(*values)

    monkeypatch.setattr(remaking, "compare", meanwhile)
    remap(upgraded, "clinic")
    take(born_later, [*STORY, *news])
    assert standing(upgraded) == standing(born_later)


def test_what_lost_messages_said_stands_and_two_runs_are_not_made_at_once(upgraded: Installation) -> None:
    gone = "DELETE FROM message_body b USING message m WHERE b.message_id = m.message_id AND m.arrival IN (1, 3, 4)"
    rows(upgraded, f"{gone} RETURNING 1")
    with upgraded.database.connect(autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(hashtext('remapping'), hashtext('clinic'))")
        with pytest.raises(ConflictError):
            remap(upgraded, "clinic")
    done = remap(upgraded, "clinic")
    assert (done.messages, done.lost) == (11, 3)
    kept = "SELECT count(*) FROM resource WHERE resource_type = 'Encounter' AND NOT deleted"
    assert rows(upgraded, kept) == [(1,)]
    older = "SELECT count(*) FROM message WHERE mapping_version = 'fhir-0' AND state = 'processed'"
    assert rows(upgraded, older) == [(3,)]
