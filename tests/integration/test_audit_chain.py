"""The audit chain: whatever is done to the trail behind its back is found, and nothing else is."""

from __future__ import annotations

import json
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from click.testing import CliRunner

from hub_core.audit import AuditEvent, record
from hub_core.auditing import chain, checkpoints, verification
from hub_core.auditing.checkpoints import CheckpointError
from hub_core.auditing.verification import Verification, verify
from hub_core.database import Database
from pipelines.auditor import Auditor
from pipelines.commands.audit import audit
from pipelines.installation import Installation

KEY, SEED = b"k" * 32, b"s" * 32
NOW = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.fixture
def trail(database: Database, tmp_path: Path) -> Path:
    """Write twelve events, seal them, and return a file with a checkpoint of them."""
    with database.begin() as unit:
        events = [AuditEvent(uuid4(), "chart.read", "Patient", str(n), uuid4(), detail={"n": n}) for n in range(12)]
        record(unit.driver, *events)
    file = tmp_path / checkpoints.FILE
    seal(database)
    with database.begin() as unit:
        assert checkpoints.append(file, SEED, chain.heads(unit.driver), NOW) == 1
    return file


def seal(database: Database) -> int:
    with database.begin() as unit:
        return chain.seal(unit.driver, KEY)


def look(database: Database, file: Path) -> Verification:
    with database.one_moment() as moment:
        return verify(moment, KEY, list(checkpoints.read(file, SEED)))


def look_in_segments(database: Database, file: Path) -> Verification:
    """Look as many processes do at a long trail: each walks two or three of its pages."""
    with pytest.MonkeyPatch.context() as then:
        then.setattr(verification, "_PAGE", 2)
        then.setattr(verification, "_WORTH", 1)
        then.setattr(os, "cpu_count", lambda: 3)
        then.setattr(verification, "ProcessPoolExecutor", lambda count, _: ThreadPoolExecutor(count))
        return look(database, file)


def tamper(database: Database, *statements: str) -> None:
    """Change the trail as somebody who owns the database could."""
    with database.begin() as unit:
        unit.driver.execute("ALTER TABLE audit_event DISABLE TRIGGER USER; ALTER TABLE audit_link DISABLE TRIGGER USER")
        for statement in statements:
            unit.driver.execute(statement)


def test_an_honest_trail_is_intact_and_sealing_again_changes_nothing(database: Database, trail: Path) -> None:
    assert seal(database) == 0
    found = look(database, trail)
    assert (found.events, found.chains, found.findings) == (12, 1, [])


@pytest.mark.parametrize(
    ("statements", "fault"),
    [
        (["UPDATE audit_event SET action = 'chart.print' WHERE resource_id = '3'"], "changed"),
        (["UPDATE audit_event SET detail = '{}' WHERE resource_id = '3'"], "changed"),
        (
            ["UPDATE audit_event SET recorded_at = recorded_at + interval '1 microsecond' WHERE resource_id = '3'"],
            "changed",
        ),
        (
            [
                "ALTER TABLE audit_event DROP CONSTRAINT audit_event_pkey",
                "INSERT INTO audit_event SELECT * FROM audit_event WHERE resource_id = '3'",
            ],
            "missing",
        ),
        (["DELETE FROM audit_event WHERE resource_id = '3'"], "missing"),
        (["DELETE FROM audit_event WHERE resource_id = '3'", "DELETE FROM audit_link WHERE number = 4"], "missing"),
        (
            [
                "DELETE FROM audit_event WHERE event_id = (SELECT event_id FROM audit_link WHERE number = 4)",
                "DELETE FROM audit_link WHERE number = 4",
                "UPDATE audit_link SET number = number + 1000 WHERE number > 4",
                "UPDATE audit_link SET number = number - 1001 WHERE number > 1000",
            ],
            "changed",
        ),
        (
            [
                "CREATE TEMP TABLE two AS SELECT number, event_id FROM audit_link WHERE number IN (4, 5)",
                "UPDATE audit_link SET event_id = gen_random_uuid() WHERE number = 5",
                "UPDATE audit_link SET event_id = (SELECT event_id FROM two WHERE number = 5) WHERE number = 4",
                "UPDATE audit_link SET event_id = (SELECT event_id FROM two WHERE number = 4) WHERE number = 5",
            ],
            "changed",
        ),
        (
            [
                "INSERT INTO audit_event (event_id, action, outcome, txid)"
                " VALUES (gen_random_uuid(), 'chart.read', 'success', '1')"
            ],
            "unlinked",
        ),
        (["UPDATE audit_link SET number = 9000000000000000000 WHERE number = 4"], "missing"),
        (["DELETE FROM audit_link WHERE number > 9"], "cut off"),
        (["TRUNCATE audit_event", "TRUNCATE audit_link"], "cut off"),
    ],
    ids=[
        "edit",
        "edit-detail",
        "edit-time",
        "twice",
        "delete",
        "delete-both",
        "renumber",
        "swap",
        "insert",
        "far-away",
        "cut-off",
        "truncate",
    ],
)
def test_what_is_done_behind_its_back_is_found(
    database: Database, trail: Path, statements: list[str], fault: str
) -> None:
    tamper(database, *statements)
    found = look(database, trail)
    assert fault in {finding.fault for finding in found.findings}
    assert look_in_segments(database, trail) == found


def test_a_chain_written_anew_is_not_the_one_that_was_signed(database: Database, trail: Path) -> None:
    tamper(database, "TRUNCATE audit_link", "UPDATE audit_sealed SET horizon = '0'")
    tamper(database, "UPDATE audit_event SET action = 'nothing' WHERE resource_id = '3'")
    seal(database)
    assert {finding.fault for finding in look(database, trail).findings} == {"replaced"}


def test_a_digest_that_was_changed_is_found_wherever_a_segment_ends(database: Database, trail: Path) -> None:
    for number in range(5, 10):
        changed = f"UPDATE audit_link SET digest = decode(md5('{number}'), 'hex') WHERE number = {number}"
        tamper(database, "CREATE TABLE kept AS SELECT * FROM audit_link", changed)
        found = look_in_segments(database, trail).findings
        assert [(each.fault, each.number) for each in found] == [("changed", number), ("changed", number + 1)]
        tamper(database, "TRUNCATE audit_link", "INSERT INTO audit_link SELECT * FROM kept", "DROP TABLE kept")


def test_chains_of_several_months_are_each_walked_from_their_beginning(database: Database, tmp_path: Path) -> None:
    with database.begin() as unit:
        record(unit.driver, *[AuditEvent(None, "chart.read") for _ in range(9)])
    months = "make_timestamptz(2026, 1 + count / 3, 1, 12, 0, 0, 'UTC')"
    tamper(
        database,
        f"UPDATE audit_event SET recorded_at = {months} FROM (SELECT event_id AS id, (row_number() OVER () - 1)::int"
        " AS count FROM audit_event) AS numbered WHERE event_id = id",
    )
    assert seal(database) == 9
    none = tmp_path / "none"
    found = look_in_segments(database, none)
    assert (found.events, found.chains, found.findings) == (9, 3, [])
    tamper(database, "DELETE FROM audit_link WHERE shard = '2026-02' AND number = 1")
    found = look_in_segments(database, none)
    assert [(each.shard, each.number) for each in found.findings] == [("2026-02", 2)]


def test_a_long_trail_is_walked_by_processes_as_of_one_moment(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(count: int) -> None:
        with database.begin() as unit:
            record(unit.driver, *[AuditEvent(None, "chart.read") for _ in range(count)])
        while seal(database):
            pass

    monkeypatch.setattr(verification, "_WORTH", 1)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    write(25_000)
    with database.one_moment() as moment:
        write(10)
        found = verify(moment, KEY, [])
    assert (found.events, found.findings) == (25_000, [])
    tamper(database, "DELETE FROM audit_link WHERE number IN (10001, 20000)")
    tamper(database, "UPDATE audit_link SET digest = '' WHERE number = 20002")
    found = look(database, tmp_path / "none")
    assert [each.number for each in found.findings] == [10_002, 20_001, 20_002, 20_003, 0]


@pytest.mark.parametrize(
    "statement", ["UPDATE audit_link SET number = 99", "DELETE FROM audit_link", "TRUNCATE audit_link"]
)
def test_the_database_refuses_to_change_links(database: Database, trail: Path, statement: str) -> None:
    with pytest.raises(psycopg.errors.RaiseException), database.begin() as unit:
        unit.driver.execute(statement)


def test_a_slow_writer_is_not_passed_over(database: Database, trail: Path) -> None:
    with database.begin() as slow:
        record(slow.driver, AuditEvent(None, "slow"))
        with database.begin() as quick:
            record(quick.driver, AuditEvent(None, "quick"))
        seal(database)
    seal(database)
    found = look(database, trail)
    assert (found.events, found.findings) == (14, [])


def test_writers_and_sealers_at_once(database: Database, trail: Path) -> None:
    def write() -> None:
        for _ in range(20):
            with database.begin() as unit:
                record(unit.driver, AuditEvent(None, "busy"))

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        seal(database)
    seal(database)
    found = look(database, trail)
    assert (found.events, found.findings) == (92, [])


def test_checkpoints_that_were_changed_are_refused(database: Database, trail: Path) -> None:
    with database.begin() as unit:
        record(unit.driver, AuditEvent(None, "more"))
    seal(database)
    with database.begin() as unit:
        checkpoints.append(trail, SEED, chain.heads(unit.driver), NOW)
    first, second = trail.read_bytes().splitlines(keepends=True)
    for changed in (second, first.replace(b'"number":12', b'"number":11') + second, first + b"{}\n"):
        trail.write_bytes(changed)
        with pytest.raises(CheckpointError):
            list(checkpoints.read(trail, SEED))


def test_odd_characters_are_linked_as_they_are(database: Database, trail: Path) -> None:
    with database.begin() as unit:
        record(unit.driver, AuditEvent(None, 'a\\b\n\t"ü'))
    seal(database)
    assert look(database, trail).is_intact


def test_a_chain_goes_on_where_events_were_told_as_text(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for form in (1, 2):
        with database.begin() as unit:
            record(unit.driver, AuditEvent(uuid4(), 'a\\b\n"ü', "Patient", "1", uuid4(), detail={"n": 1.50}))
        with monkeypatch.context() as then:
            then.setattr(chain, "FORM", form)
            assert seal(database) == 1
    assert look(database, tmp_path / "none").is_intact
    tamper(database, "UPDATE audit_link SET form = 3 - form")
    assert [each.number for each in look(database, tmp_path / "none").findings] == [1, 2]


def test_events_alike_but_for_the_patient_are_each_written(database: Database) -> None:
    shown, whole = [uuid4(), uuid4(), None], {"n": 1}
    with database.begin() as unit:
        record(unit.driver, *(AuditEvent(None, "schedule.read", patient_id=each, detail=whole) for each in shown))
        record(unit.driver)
        kept = unit.driver.execute("SELECT patient_id, principal_id, action, detail FROM audit_event").fetchall()
    assert sorted(kept, key=str) == sorted(((each, None, "schedule.read", whole) for each in shown), key=str)


def test_the_command_says_whether_the_trail_is_whole(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WHOLECHART_DATABASE_URL", str(installation.settings.database_url))
    where = ["--dir", str(installation.settings.data_dir)]
    with installation.database.begin() as unit:
        record(unit.driver, AuditEvent(None, "chart.read", detail={"n": 1}))
    Auditor(installation).tick()
    intact = CliRunner().invoke(audit, ["verify", *where], standalone_mode=False)
    assert (intact.return_value, intact.stdout) == (0, "1 events in 1 chains: intact\n")
    tamper(installation.database, "DELETE FROM audit_event")
    broken = CliRunner().invoke(audit, ["verify", "--json", *where], standalone_mode=False)
    assert broken.return_value == 1
    assert [each["fault"] for each in json.loads(broken.stdout)["findings"]] == ["missing"]
