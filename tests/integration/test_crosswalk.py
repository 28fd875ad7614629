"""Persons who meet while others join them: nobody is left on a person that has been merged away."""

from __future__ import annotations

import threading
import time
from typing import Any

from ehr_pm.identity import crosswalk
from hub_core.database import Database
from hub_core.fhir.ids import derived_id


def patient(name: str, *numbers: str) -> dict[str, Any]:
    identifier = [{"system": "urn:id:RIVER", "value": number} for number in numbers]
    return {"resourceType": "Patient", "id": derived_id("desk", "Patient", name), "identifier": identifier}


def merge(survivor: str, merged: str) -> dict[str, Any]:
    roles = (("source", survivor), ("alternate", merged))
    item = [
        {"type": role, "resource": {"reference": f"Patient/{derived_id('desk', 'Patient', name)}"}}
        for role, name in roles
    ]
    return {"resourceType": "Linkage", "id": derived_id("desk", "Linkage", merged), "active": True, "item": item}


def observe(database: Database, *resources: dict[str, Any]) -> None:
    with database.begin() as unit:
        crosswalk.observe(unit.driver, resources)


def test_a_record_that_joins_while_its_person_is_merged_is_not_left_behind(database: Database) -> None:
    observe(database, patient("a", "1001"))
    observe(database, patient("b", "2002"), patient("b2", "2002", "2003"))
    merging = threading.Thread(target=observe, args=(database, merge("a", "b")))
    with database.begin() as unit:
        crosswalk.observe(unit.driver, [patient("c", "2003")])
        merging.start()
        wait_until_somebody_waits(database)
    merging.join()
    with database.begin() as unit:
        persons = unit.driver.execute(
            "SELECT DISTINCT person_id, merged_into FROM person_member JOIN person USING (person_id)"
            " WHERE valid_to IS NULL"
        ).fetchall()
    assert len(persons) == 1
    assert persons[0][1] is None


def test_two_of_one_person_who_each_meet_somebody_bring_all_together(database: Database) -> None:
    observe(database, patient("older", "900"))
    observe(database, patient("a", "100"), patient("b", "100"))
    observe(database, patient("a", "900"), patient("b", "500"), patient("new", "500"))
    with database.begin() as unit:
        persons = unit.driver.execute(
            "SELECT count(*), count(DISTINCT person_id), count(merged_into) FROM person_member"
            " JOIN person USING (person_id) WHERE valid_to IS NULL"
        ).fetchone()
    assert persons == (4, 1, 0)


def test_who_gives_up_a_number_and_who_gets_it_at_the_same_time_are_two(database: Database) -> None:
    observe(database, patient("former", "300"))
    observe(database, patient("former"), patient("latter", "300"))
    with database.begin() as unit:
        numbers = unit.driver.execute("SELECT patient_id::text FROM patient_identifier").fetchall()
        persons = unit.driver.execute("SELECT count(DISTINCT person_id) FROM person_member").fetchone()
    assert numbers == [(patient("latter")["id"],)]
    assert persons == (2,)


def wait_until_somebody_waits(database: Database) -> None:
    """Return once a transaction waits for a lock: the merge has come to where it must not go on."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with database.connect(autocommit=True) as connection:
            if connection.execute(
                "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            ).fetchone():
                return
        time.sleep(0.02)
    raise AssertionError("the merge did not wait for the record that was joining")
