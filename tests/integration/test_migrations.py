"""A database of an older release becomes one of today: what it holds is read, and known again, as it was written."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from importlib import import_module
from uuid import UUID

import psycopg
import pytest
from alembic import command
from fastapi import FastAPI
from sqlalchemy import Connection

from ehr_pm import migrations
from ehr_pm.record import changes, queries
from ehr_pm.record.apply import apply
from ehr_pm.record.entry import Entry
from hub_core.audit import AuditEvent, record
from hub_core.database import Database
from hub_core.fhir.canonical import load_object
from hub_core.keyring import Keyring
from hub_core.settings import Settings
from pipelines import auditor
from pipelines.installation import Installation, open_installation
from pipelines.lake.change_log import read_log
from tests.integration.conftest import fresh_database
from tests.integration.hub_api.hub import Hub
from tests.integration.searching.population import Population

codes_of_quantities = import_module("ehr_pm.migrations.versions.0022_codes_of_quantities")
PATIENT = UUID("0195a1c2-0000-7000-8000-000000000001")
GIVEN = ["Ada", 'Zo\\x00ë "Z"\n'] * 2
"""First names by version; what looks like an escape must come through a change of the column's type."""


def patient(given: str) -> dict[str, object]:
    return {"resourceType": "Patient", "id": str(PATIENT), "name": [{"family": "Núñez", "given": [given]}]}


@pytest.fixture(scope="module")
def upgraded(server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Return an installation of revision 0015, with two versions of a patient and three sealed events, upgraded."""
    with fresh_database(server, "template0") as url:
        settings = Settings(database_url=url, data_dir=tmp_path_factory.mktemp("upgraded"))
        with Database(settings) as database, database.begin() as unit:
            _upgrade(unit.connection, "0015")
            _write_versions(unit.driver)
            _write_events(unit.driver, Keyring(settings.keys_dir).chain_key)
        with open_installation(settings) as installation:
            yield installation


def _upgrade(connection: Connection, revision: str) -> None:
    config = migrations._config()
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def _write_versions(connection: psycopg.Connection) -> None:
    """Write a resource as it was written when bodies were texts."""
    [(batch,)] = connection.execute(
        "INSERT INTO change_batch (size, first_seq, sealed_at) VALUES (2, 1, now()) RETURNING batch_key"
    )
    connection.execute("UPDATE change_head SET next_seq = 3")
    columns = (
        "resource_type, resource_id, version, source, source_id, patient_id, authority, content_sha, recorded_at,"
        " batch_key, ordinal"
    )
    for ordinal, given in enumerate(GIVEN[:2]):
        entry = Entry(patient(given), "clinic", "1")
        row = ("Patient", PATIENT, ordinal + 1, "clinic", "1", PATIENT, 2, entry.digest, "2026-03-01", batch, ordinal)
        connection.execute(
            f"INSERT INTO resource_version ({columns}, body) VALUES ({', '.join(['%s'] * 12)})",
            (*row, json.dumps(entry.resource, ensure_ascii=False)),
        )
    connection.execute(f"INSERT INTO resource ({columns}) VALUES ({', '.join(['%s'] * 11)})", row)


def _write_events(connection: psycopg.Connection, key: bytes) -> None:
    """Write events, linked as they were when they were told to the digest as text."""
    digest = bytes(32)
    for number in range(1, 4):
        event_id, detail = str(UUID(int=number)), {"n": number, "said": 'a\\b\n"ü'}
        connection.execute(
            "INSERT INTO audit_event (event_id, recorded_at, action, resource_type, resource_id, outcome, detail)"
            " VALUES (%s, '2026-03-01 12:00:00.000001+00', 'chart.read', 'Patient', %s, 'success', %s)",
            (event_id, str(PATIENT), json.dumps(detail)),
        )
        told = [event_id, "2026-03-01T12:00:00.000001", None, "chart.read", "Patient", str(PATIENT), None, "success"]
        text = json.dumps([*told, None, None, detail], ensure_ascii=False)
        digest = hashlib.blake2b(digest + text.encode(), digest_size=32, key=key).digest()
        connection.execute(
            "INSERT INTO audit_link (shard, number, event_id, digest) VALUES ('2026-03', %s, %s, %s)",
            (number, event_id, digest),
        )


def test_bodies_that_were_texts_are_read_in_every_way(upgraded: Installation) -> None:
    with upgraded.database.begin() as unit:
        current = queries.read(unit.driver, "Patient", PATIENT)
        versions = queries.history(unit.driver, "Patient", PATIENT, limit=9)
        logged = changes.read(unit.driver, 0, 9)[:2]
    copied = [row for part in read_log(upgraded.database.conninfo, 0, 2) for row in part.to_pylist()]
    assert current is not None
    assert load_object(current.body)["name"] == patient(GIVEN[1])["name"]
    oldest_first = [patient(given) for given in GIVEN[:2]]
    assert [load_object(each.body) for each in versions[::-1][:2]] == oldest_first
    assert [load_object(each.body) for each in logged] == oldest_first
    assert [load_object(row["body"]) for row in sorted(copied, key=lambda row: row["seq"])] == oldest_first


def test_what_stands_already_is_known_and_what_differs_becomes_the_next_version(upgraded: Installation) -> None:
    with upgraded.database.begin() as unit:
        same, other = (Entry(patient(given), "clinic", "1") for given in GIVEN[1:3])
        assert apply(unit.driver, [same]) == ["unchanged"]
        assert apply(unit.driver, [other]) == ["updated"]
        versions = queries.history(unit.driver, "Patient", PATIENT, limit=9)
        unit.connection.rollback()
    assert [load_object(each.body)["name"] for each in versions] == [patient(given)["name"] for given in GIVEN[2::-1]]


def test_quantities_written_without_codes_get_those_that_they_have_today(installation: Installation) -> None:
    Hub("", installation, FastAPI()).record(*Population(3).all)
    with installation.database.begin() as unit:
        run = unit.driver.execute
        today = run("SELECT * FROM search_quantity").fetchall()
        older = "resource_type, param, least, greatest, system, code, unit, place, resource_key"
        run(f"CREATE TABLE older AS SELECT DISTINCT {older} FROM search_quantity")
        run("DROP TABLE search_quantity")
        run("ALTER TABLE older RENAME TO search_quantity")
        for statement in codes_of_quantities.STATEMENTS:
            run(statement)
        upgraded = run("SELECT * FROM search_quantity").fetchall()
    codes = {row[8] for row in today}
    assert None in codes
    assert len(codes) > 2
    assert len(upgraded) == len(set(upgraded))
    assert set(upgraded) == set(today)


def test_a_trail_that_was_linked_as_text_is_intact_goes_on_and_shows_what_is_done_to_it(upgraded: Installation) -> None:
    with upgraded.database.begin() as unit:
        record(unit.driver, AuditEvent(None, "chart.read"))
    found = auditor.check(upgraded)
    assert (found.events, found.chains, found.findings) == (4, 2, [])
    with upgraded.database.begin() as unit:
        unit.driver.execute("ALTER TABLE audit_event DISABLE TRIGGER USER")
        unit.driver.execute("UPDATE audit_event SET detail = '{}' WHERE event_id = %s", (UUID(int=2),))
    assert [(each.fault, each.shard, each.number) for each in auditor.check(upgraded).findings] == [
        ("changed", "2026-03", 2)
    ]
