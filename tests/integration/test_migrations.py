"""A database of an older release becomes one of today: what it holds is read, and known again, as it was written."""

from __future__ import annotations

from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config

from ehr_pm import migrations
from ehr_pm.record.apply import apply
from ehr_pm.record.entry import Entry
from hub_core.database import Database
from hub_core.fhir.canonical import Json, content_hash
from hub_core.fhir.ids import derived_id
from hub_core.settings import Settings
from tests.integration import stored
from tests.integration.conftest import fresh_database

BEFORE_PACKED_BODIES = "0015a"
PATIENT: Json = {"resourceType": "Patient", "id": derived_id("adt", "Patient", "p1"), "name": [{"family": "Okafor"}]}
BODY = '{"resourceType":"Patient","id":"%s","meta":{"versionId":"1"},"name":[{"family":"Okafor"}]}'
ENVELOPE = {
    "resource_type": "Patient",
    "resource_id": PATIENT["id"],
    "version": 1,
    "source": "adt",
    "source_id": "p1",
    "patient_id": PATIENT["id"],
    "authority": 2,
    "arrival": 1,
    "content_sha": content_hash(PATIENT),
    "recorded_at": "2026-03-01T12:00Z",
    "position": 1,
    "batch_key": 1,
    "ordinal": 0,
}


def test_what_was_recorded_before_bodies_were_packed_is_read_and_known_again(server: str, tmp_path: Path) -> None:
    body = BODY % PATIENT["id"]
    with (
        fresh_database(server, "template0") as address,
        Database(Settings(database_url=address, data_dir=tmp_path)) as database,
    ):
        with database.begin() as unit:
            upgrade(unit.connection, BEFORE_PACKED_BODIES)
            unit.driver.execute("INSERT INTO change_batch (size) VALUES (1)")
            insert(unit.driver, "resource", ENVELOPE)
            insert(unit.driver, "resource_version", {**ENVELOPE, "body": body})
        migrations.migrate(database)
        assert stored.standing(database) == [body]
        with database.begin() as unit:
            again = Entry(PATIENT, source="adt", source_id="p1", arrival=2)
            assert apply(unit.driver, [again]) == ["unchanged"]


def upgrade(connection: object, revision: str) -> None:
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    command.upgrade(config, revision)


def insert(connection: psycopg.Connection, table: str, row: Json) -> None:
    names = ", ".join(row)
    places = ", ".join(f"%({name})s" for name in row)
    connection.execute(f"INSERT INTO {table} ({names}) VALUES ({places})", row)
