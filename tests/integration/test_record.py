"""The record: newer and stronger statements stand, older and weaker ones do not; saying it twice changes nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from psycopg import sql

from ehr_pm.record.apply import apply
from ehr_pm.record.entry import Entry
from hub_core.database import Database
from hub_core.fhir.canonical import load_object
from hub_core.fhir.ids import derived_id
from tests.integration import stored

FULL, MENTION, STUB = 2, 1, 0
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def patient(family: str, *, minutes: int = 0, authority: int = FULL, arrival: int = 1, name: str = "p1") -> Entry:
    resource: dict[str, Any] = {
        "resourceType": "Patient",
        "id": derived_id("adt", "Patient", name),
        "name": [{"family": family}],
    }
    return Entry(
        resource,
        source="adt",
        source_id=name,
        event_at=NOON + timedelta(minutes=minutes),
        authority=authority,
        arrival=arrival,
    )


def tell(database: Database, *entries: Entry) -> list[str]:
    with database.begin() as unit:
        return list(apply(unit.driver, entries))


def standing(database: Database) -> tuple[int, str]:
    [body] = stored.standing(database)
    patient = json.loads(body)
    return int(patient["meta"]["versionId"]), patient["name"][0]["family"]


def log(database: Database, column: str) -> list[Any]:
    """Return what the versions say in a column, in order."""
    with database.begin() as unit:
        query = sql.SQL("SELECT {} FROM resource_version ORDER BY version").format(sql.Identifier(column))
        return [row[0] for row in unit.driver.execute(query)]


def test_first_word_is_created_and_searchable(database: Database) -> None:
    assert tell(database, patient("Okafor")) == ["created"]
    with database.begin() as unit:
        found = unit.driver.execute(
            "SELECT r.source_id FROM search_string s JOIN resource r USING (resource_key)"
            " WHERE s.param = 'family' AND s.value = 'okafor'"
        ).fetchall()
    assert found == [("p1",)]


def test_where_nothing_is_said_nothing_is_written(database: Database) -> None:
    assert tell(database) == []
    assert log(database, "version") == []


def test_the_same_content_again_is_no_new_version(database: Database) -> None:
    tell(database, patient("Okafor"))
    assert tell(database, patient("Okafor", arrival=2)) == ["unchanged"]
    assert standing(database) == (1, "Okafor")


@pytest.mark.parametrize(
    ("late", "why"),
    [
        (patient("Older", minutes=-5, arrival=2), "an older event"),
        (patient("Said", minutes=5, authority=MENTION, arrival=2), "a newer but weaker mention"),
        (patient("", minutes=5, authority=STUB, arrival=2), "a newer stub"),
    ],
)
def test_weaker_or_older_words_never_overwrite(database: Database, late: Entry, why: str) -> None:
    tell(database, patient("Stands"))
    assert tell(database, late) == ["stale"], why
    assert standing(database)[1] == "Stands"


def test_an_older_full_word_replaces_a_newer_stub(database: Database) -> None:
    tell(database, patient("?", minutes=60, authority=STUB))
    assert tell(database, patient("Okafor", arrival=2)) == ["updated"]
    assert standing(database) == (2, "Okafor")


def test_a_newer_repeat_protects_its_content_from_what_came_between(database: Database) -> None:
    tell(database, patient("Same", minutes=0))
    tell(database, patient("Same", minutes=10, arrival=2))
    assert tell(database, patient("Between", minutes=5, arrival=3)) == ["stale"]


@pytest.mark.parametrize("size", [0, 9], ids=["few", "many"])
def test_a_repeat_protects_its_content_though_both_came_in_one_batch(database: Database, size: int) -> None:
    others = [patient("Other", name=f"other-{each}") for each in range(size)]
    tell(database, patient("Same", minutes=0), patient("Same", minutes=10, arrival=2), *others)
    assert tell(database, patient("Between", minutes=5, arrival=3)) == ["stale"]
    with database.begin() as unit:
        assert unit.driver.execute(
            "SELECT r.event_at, r.arrival, v.event_at, v.arrival"
            " FROM resource r JOIN resource_version v USING (batch_key, ordinal) WHERE r.source_id = 'p1'"
        ).fetchall() == [(NOON + timedelta(minutes=10), 2, NOON, 1)]


def test_a_stub_that_is_confirmed_to_the_letter_is_told_to_whoever_reads_the_log(database: Database) -> None:
    tell(database, patient("Okafor", authority=STUB))
    assert tell(database, patient("Okafor", arrival=2)) == ["updated"]
    assert log(database, "authority") == [STUB, FULL]


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_when_it_began_is_known_whatever_came_first(database: Database, order: tuple[int, ...]) -> None:
    """A booking whose first message comes last was made when that message says."""
    told = [patient(f"Name{i}", minutes=i, arrival=i) for i in range(3)]
    for number in order:
        tell(database, told[number])
    assert standing(database)[1] == "Name2"
    assert min(log(database, "first_event_at")) == log(database, "first_event_at")[-1] == NOON
    before = standing(database)
    tell(database, *told)
    assert standing(database) == before


def test_who_only_mentions_a_thing_does_not_say_when_it_began(database: Database) -> None:
    tell(database, patient("Stands"))
    tell(database, patient("Stands", minutes=-5, authority=MENTION, arrival=2))
    assert standing(database) == (1, "Stands")


def test_replaying_a_day_changes_nothing(database: Database) -> None:
    day = [patient(f"Name{i}", minutes=i, arrival=i) for i in range(5)]
    tell(database, *day)
    assert set(tell(database, *day)) <= {"stale", "unchanged"}
    assert standing(database) == (5, "Name4")


def test_the_index_follows_the_current_version_only(database: Database) -> None:
    tell(database, patient("Before"))
    tell(database, patient("After", minutes=1, arrival=2))
    with database.begin() as unit:
        values = unit.driver.execute("SELECT value FROM search_string WHERE param = 'family'").fetchall()
    assert values == [("after",)]


INDEXED = """
SELECT param, value, NULL, ctid::text FROM search_string UNION ALL SELECT param, code, system, ctid::text
FROM search_token UNION ALL SELECT param, starts_at::text, ends_at::text, ctid::text FROM search_date
UNION ALL SELECT param, target_type, target_id, ctid::text FROM search_reference
"""


def indexed(database: Database) -> dict[tuple[str, str, str | None], str]:
    """Return the rows of the index with their places."""
    with database.begin() as unit:
        unit.driver.execute("SET LOCAL TimeZone = 'UTC'")
        return {row[:3]: row[3] for row in unit.driver.execute(INDEXED).fetchall()}


def test_a_new_version_leaves_the_index_rows_alone_that_still_hold(database: Database) -> None:
    facts: dict[str, Any] = {
        "birthDate": "1980",
        "gender": "female",
        "managingOrganization": {"reference": "Organization/o1"},
        "identifier": [{"system": "urn:id:\\new", "value": "tab\there\\n"}],
    }
    first, second = patient("Okafor"), patient("Adeyemi", minutes=1, arrival=2)
    tell(database, replace(first, resource={**first.resource, **facts}))
    before = indexed(database)
    tell(database, replace(second, resource={**second.resource, **facts, "gender": "unknown"}))
    after = indexed(database)
    gone = {("family", "okafor", None), ("name", "okafor", None), ("gender", "female", None)}
    come = {("family", "adeyemi", None), ("name", "adeyemi", None), ("gender", "unknown", None)}
    assert (before.keys() - after.keys(), after.keys() - before.keys()) == (gone, come)
    assert {row: after[row] for row in before.keys() - gone} == {row: before[row] for row in before.keys() - gone}
    assert ("identifier", "tab\there\\n", "urn:id:\\new") in after
    assert ("birthdate", "1980-01-01 00:00:00+00", "1981-01-01 00:00:00+00") in after


def test_an_open_end_is_recognised_as_the_same(database: Database) -> None:
    """The last and the first moment of the calendar are in no zone but UTC."""
    visit = {"resourceType": "Encounter", "id": derived_id("adt", "Encounter", "1")}
    for number, period in enumerate(({"start": "2020"}, {"start": "2020"}, {"end": "2020"})):
        resource = {**visit, "status": f"s{number}", "period": period}
        tell(database, Entry(resource, source="adt", source_id="1", arrival=number + 1))
    dates = [row[1:] for row in indexed(database) if row[0] == "date"]
    assert dates == [("0001-01-01 00:00:00+00", "2021-01-01 00:00:00+00")]


@pytest.mark.parametrize("text", ["a\\tb", "a\tb", "a\nb\r", "\\N", "\\", "\\.", "\u2028é\x7f"])
def test_any_text_is_kept_as_it_is(database: Database, text: str) -> None:
    """What COPY reads as an escape, a null or an end must not be one."""
    entry = patient(text, name=text)
    tell(database, replace(entry, source=text, location=text, mapping_version=text))
    assert standing(database) == (1, text)
    with database.begin() as unit:
        row = unit.driver.execute("SELECT source, source_id, location, mapping_version FROM resource").fetchone()
    assert row == (text,) * 4


def test_stored_text_keeps_digits_and_carries_version_and_time(database: Database) -> None:
    name = derived_id("lab", "Observation", "1")
    text = f'{{"resourceType":"Observation","id":"{name}","valueQuantity":{{"value":7.10}}}}'
    tell(database, Entry(load_object(text), source="lab", source_id="1"))
    [body] = stored.standing(database)
    assert '"value":7.10' in body
    assert json.loads(body)["meta"]["versionId"] == "1"


def gone(*, minutes: int = 0, arrival: int = 1, name: str = "p1") -> Entry:
    said = patient("", minutes=minutes, arrival=arrival, name=name)
    return replace(said, resource={"resourceType": "Patient", "id": said.resource["id"]}, is_deleted=True)


def is_gone(database: Database, name: str) -> bool:
    with database.begin() as unit:
        [[deleted]] = unit.driver.execute("SELECT deleted FROM resource WHERE source_id = %s", (name,)).fetchall()
    return bool(deleted)


def test_what_its_source_has_no_more_is_gone_and_still_known_to_have_been(database: Database) -> None:
    tell(database, patient("Okafor"))
    assert tell(database, gone(minutes=5)) == ["deleted"]
    assert tell(database, gone(minutes=5, arrival=2), patient("Okafor", arrival=3)) == ["unchanged", "stale"]
    assert log(database, "deleted") == [False, True]
    with database.begin() as unit:
        [[deleted, patient_id, resource_id]] = unit.driver.execute(
            "SELECT deleted, patient_id, resource_id FROM resource"
        ).fetchall()
        assert (deleted, patient_id) == (True, resource_id)
        for table in ("search_string", "search_token"):
            query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))
            assert unit.driver.execute(query).fetchall() == [(0,)]


@pytest.mark.parametrize("size", [1, 9], ids=["few", "many"])
def test_a_deletion_stands_between_what_was_before_and_what_came_after(database: Database, size: int) -> None:
    """Whatever the order of arrival, and whether a few or many are written at once."""
    for number, order in enumerate(permutations(range(3))):
        name = f"p{number}"
        others = [patient("Other", name=f"{name}-other-{each}") for each in range(size)]
        said = [patient("Okafor", name=name), gone(minutes=5, name=name), patient("Okafor", minutes=9, name=name)]
        for place in order:
            tell(database, said[place], *others)
        assert is_gone(database, name) is False
        tell(database, gone(minutes=12, name=name), *others)
        assert is_gone(database, name) is True


def test_a_tombstone_is_as_sensitive_as_what_it_stands_for(database: Database) -> None:
    label = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "42CFRPart2"}
    said = patient("Okafor")
    said.resource["meta"] = {"security": [label]}
    tell(database, said)
    before = log(database, "sensitivity")
    assert before != [None]
    tell(database, gone(minutes=5))
    assert log(database, "sensitivity") == before * 2
