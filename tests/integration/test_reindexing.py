"""The search index is written anew while others write, goes on where it was interrupted, and ends as from scratch."""

from __future__ import annotations

from typing import Any

import pytest
from click.testing import CliRunner
from fastapi import FastAPI

from ehr_pm.record import reindexing
from hub_core.database import Database
from hub_core.errors import NotFoundError
from pipelines import reindexing as duty
from pipelines.cli import wholechart
from pipelines.installation import Installation
from tests.integration.hub_api.hub import Hub, new_id, observation, patient

TABLES = ("search_token", "search_string", "search_date", "search_reference", "search_quantity")


def rows(database: Database) -> list[set[tuple[Any, ...]]]:
    with database.begin() as unit:
        return [set(unit.driver.execute(f"SELECT * FROM {table}").fetchall()) for table in TABLES]


def spoil(database: Database) -> None:
    """Leave an index as an older version may have: too much, too little, and of other definitions."""
    with database.begin() as unit:
        run = unit.driver.execute
        for table in TABLES:
            run(f"DELETE FROM {table} WHERE mod(resource_key, 2) = 0")
        run("INSERT INTO search_token SELECT resource_type, 'gone', 'x', NULL, resource_key FROM resource")
        run("UPDATE search_definition SET definition = 'older'")


@pytest.fixture
def hub(installation: Installation) -> Hub:
    """Return an installation with two patients and their results."""
    hub = Hub("", installation, FastAPI())
    people = [patient("Okafor"), patient("Bello", deceasedBoolean=True)]
    hub.record(
        *people, *(observation(person, performer=[{"reference": f"Practitioner/{new_id()}"}]) for person in people * 9)
    )
    return hub


def test_a_new_house_has_nothing_to_go_through(hub: Hub) -> None:
    with hub.installation.database.begin() as unit:
        assert reindexing.stale(unit.driver) == []
    assert list(duty.reindex(hub.installation.database)) == []


def test_what_an_upgrade_indexes_in_another_way_is_gone_through_once(hub: Hub) -> None:
    database = hub.installation.database
    before = rows(database)
    spoil(database)
    duty.Indexer(hub.installation).tick()
    assert rows(database) == before
    assert list(duty.reindex(database)) == []


def test_it_goes_on_where_it_was_interrupted_while_others_write(hub: Hub) -> None:
    database = hub.installation.database
    spoil(database)
    with database.begin() as unit:
        kinds = reindexing.stale(unit.driver)
        assert reindexing.go_on(unit.driver, kinds, limit=7) == 7
    latecomer = patient("Latecomer")
    hub.record(latecomer, observation(latecomer), arrival=2)
    seen: list[int] = []
    while not seen or seen[-1] == 7:
        with database.begin() as unit:
            seen.append(reindexing.go_on(unit.driver, kinds, limit=7))
    assert sum(seen) == 15
    fresh = rows(database)
    with database.begin() as unit:
        assert reindexing.stale(unit.driver) == []
        for table in TABLES:
            unit.driver.execute(f"DELETE FROM {table}")
    assert sum(duty.reindex(database, kinds)) == 22
    assert rows(database) == fresh


def test_one_type_is_gone_through_by_hand(hub: Hub) -> None:
    database = hub.installation.database
    before = rows(database)
    with database.begin() as unit:
        unit.driver.execute("DELETE FROM search_string")
    assert sum(duty.reindex(database, ["Observation"])) == 18
    assert rows(database) != before
    assert sum(duty.reindex(database, ["Patient"])) == 2
    assert rows(database) == before
    with pytest.raises(NotFoundError):
        list(duty.reindex(database, ["Nonsense"]))


def test_the_verb_says_how_many(hub: Hub) -> None:
    settings = hub.installation.settings
    environment = {"WHOLECHART_DATABASE_URL": str(settings.database_url), "WHOLECHART_DATA_DIR": str(settings.data_dir)}
    answer = CliRunner().invoke(wholechart, ["reindex", "--type", "Patient"], env=environment)
    assert answer.output == "2 resources gone through\n"
