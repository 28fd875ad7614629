"""The message store: once, durable, in order per key, and back byte for byte."""

from __future__ import annotations

import contextlib
import threading
import zlib
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub_core.errors import DamagedError, NotFoundError
from hub_core.keyring import Keyring
from hub_core.messages import queue
from hub_core.messages.arrival import Arrival, Finding, Result
from hub_core.messages.bodies import BLOB_BYTES
from pipelines.installation import Installation


def arrival(body: bytes, *keys: str, control_id: str | None = None, feed: str = "adt") -> Arrival:
    return Arrival(feed, "old-ehr", "hl7v2", "ADT^A08", body, keys=keys, control_id=control_id)


def test_a_message_comes_back_byte_for_byte(installation: Installation) -> None:
    body = bytes(range(256)) * 10
    stored = installation.store.take([arrival(body)])[0]
    assert read(installation, stored.message_id) == body


def test_a_large_message_is_kept_as_a_sealed_file(installation: Installation) -> None:
    body = b"A" * (BLOB_BYTES + 1)
    stored = installation.store.take([arrival(body)])[0]
    blobs = [path for path in installation.settings.blob_dir.rglob("*") if path.is_file()]
    assert len(blobs) == 1
    assert b"AAAA" not in blobs[0].read_bytes()
    assert read(installation, stored.message_id) == body


def test_a_lost_blob_is_said_plainly(installation: Installation) -> None:
    stored = installation.store.take([arrival(b"A" * BLOB_BYTES)])[0]
    next(path for path in installation.settings.blob_dir.rglob("*") if path.is_file()).unlink()
    with pytest.raises(NotFoundError, match="restore it from your backup"):
        read(installation, stored.message_id)


def test_bodies_are_sealed_in_the_database(installation: Installation) -> None:
    installation.store.take([arrival(b"PID|1||12345^^^HOSP||Okafor")])
    with installation.database.begin() as unit:
        rows = unit.driver.execute("SELECT body FROM message_body").fetchall()
    assert b"Okafor" not in bytes(rows[0][0])


def test_the_same_message_twice_is_stored_once(installation: Installation) -> None:
    first = installation.store.take([arrival(b"x", control_id="1"), arrival(b"x", control_id="1")])
    again = installation.store.take([arrival(b"x", control_id="1")])
    assert [s.duplicate for s in first + again] == [False, True, True]
    assert len({s.message_id for s in first + again}) == 1


@pytest.mark.parametrize(
    "other", [arrival(b"y", control_id="1"), arrival(b"x", control_id="2"), arrival(b"x", control_id="1", feed="b")]
)
def test_other_bytes_id_or_feed_is_another_message(installation: Installation, other: Arrival) -> None:
    installation.store.take([arrival(b"x", control_id="1")])
    assert not installation.store.take([other])[0].duplicate


def test_the_times_a_message_came_again_are_counted(installation: Installation) -> None:
    once = arrival(b"x", control_id="1")
    installation.store.take([once, once, arrival(b"y"), once])
    installation.store.take([once])
    with installation.database.begin() as unit:
        rows = unit.driver.execute("SELECT control_id, repeats FROM message ORDER BY arrival").fetchall()
    assert rows == [("1", 3), (None, 0)]


def test_a_message_may_come_again_while_it_is_applied(installation: Installation) -> None:
    """The sender's wait for its answer must not be a wait for the worker, and the worker must not pass it over."""
    installation.store.take([arrival(b"x", "a")])
    with installation.database.connect() as worker:
        (taken,) = queue.claim(worker, 10)
        assert installation.store.take([arrival(b"x", "a")])[0].duplicate
        queue.finish(worker, [taken], [Result(taken.message_id, processed=1)])
        worker.commit()
    with installation.database.begin() as unit:
        assert unit.driver.execute("SELECT state, repeats FROM message").fetchall() == [("processed", 1)]


def test_messages_are_numbered_as_they_came_and_keep_what_they_say(installation: Installation) -> None:
    sent_at = datetime(2026, 3, 1, 12, tzinfo=UTC)
    bodies_sent = [b"%d" % (number * 7 % 50) for number in range(50)]
    installation.store.take([replace(arrival(body, "k\x1f", "l"), sent_at=sent_at) for body in bodies_sent])
    with installation.database.begin() as unit:
        found = unit.driver.execute("SELECT message_id, keys, sent_at FROM message ORDER BY arrival").fetchall()
    assert [bodies(installation, row[0]) for row in found] == bodies_sent
    assert {(tuple(keys), sent) for _, keys, sent in found} == {(("k?", "l"), sent_at)}


def test_a_kept_connection_the_server_has_closed_is_not_used_again(installation: Installation) -> None:
    installation.store.take([arrival(b"x")])
    with installation.database.connect(autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE pid <> pg_backend_pid() AND datname = current_database()"
        )
    assert installation.store.take([arrival(b"x")])[0].duplicate


def test_two_stores_at_once_keep_one(installation: Installation) -> None:
    results: list[bool] = []

    def take() -> None:
        for number in range(20):
            stored = installation.store.take([arrival(b"%d" % n) for n in (number, number + 1, number)])
            results.extend(s.duplicate for s in stored)

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with installation.database.begin() as unit:
        row = unit.driver.execute("SELECT count(*), sum(repeats) FROM message").fetchone()
    assert row == (21, 4 * 20 * 3 - 21)
    assert results.count(False) == 21


def test_messages_of_one_patient_are_not_split_between_workers(installation: Installation) -> None:
    installation.store.take([arrival(b"1", "a"), arrival(b"2", "b"), arrival(b"3", "a"), arrival(b"4", "c")])
    with installation.database.connect() as one, installation.database.connect() as other:
        mine = queue.claim(one, 2)
        theirs = queue.claim(other, 10)
        assert [bodies(installation, m.message_id) for m in mine] == [b"1", b"2"]
        assert [bodies(installation, m.message_id) for m in theirs] == [b"4"]


def test_a_batch_leaves_lanes_for_the_other_workers(installation: Installation) -> None:
    """However many patients the batches before it are about, a worker finds a batch of its own."""
    installation.store.take([arrival(b"%d" % n, f"mrn{n}", f"enterprise{n}") for n in range(400)])
    with contextlib.ExitStack() as workers:
        batches = [
            queue.claim(workers.enter_context(contextlib.closing(installation.database.connect())), 100)
            for _ in range(3)
        ]
        ids = [message.message_id for batch in batches for message in batch]
        assert [len(batch) for batch in batches] == [100, 100, 100]
        assert len(set(ids)) == 300


def test_messages_about_thousands_do_not_use_up_the_locks(installation: Installation) -> None:
    """PostgreSQL has some thousands for everybody: a sender must not be able to stop the house."""
    installation.store.take([arrival(b"%d" % n, *(f"{n}-{key}" for key in range(300))) for n in range(60)])
    seen: set[object] = set()
    while True:
        with installation.database.begin() as unit:
            taken = queue.claim(unit.driver, 100)
            queue.finish(unit.driver, taken, [Result(message.message_id, processed=1) for message in taken])
            locks = unit.driver.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'").fetchall()
        if not taken:
            break
        assert locks[0][0] <= 1600
        seen |= {message.message_id for message in taken}
    assert len(seen) == 60


def test_a_merge_waits_for_both_patients(installation: Installation) -> None:
    installation.store.take([arrival(b"1", "a"), arrival(b"merge", "a", "b")])
    installation.store.take([arrival(b"after", "b"), arrival(b"c", "c")])
    with installation.database.connect() as one, installation.database.connect() as other:
        queue.claim(one, 1)
        assert [bodies(installation, m.message_id) for m in queue.claim(other, 10)] == [b"c"]


def test_pieces_without_keys_are_shared_out(installation: Installation) -> None:
    installation.store.take([arrival(b"%d" % n) for n in range(6)])
    with installation.database.connect() as one, installation.database.connect() as other:
        mine, theirs = queue.claim(one, 3), queue.claim(other, 3)
        assert len({m.message_id for m in mine + theirs}) == 6


def test_a_finished_message_is_not_taken_again_until_replayed(installation: Installation) -> None:
    stored = installation.store.take([arrival(b"x")])[0]
    finding = Finding(1, "ADT^A08", "error", "required", "PID-3 is missing", "PID-3")
    with installation.database.begin() as unit:
        taken = queue.claim(unit.driver, 10)
        queue.finish(unit.driver, taken, [Result(stored.message_id, rejected=1, findings=(finding,))])
    with installation.database.begin() as unit:
        assert queue.claim(unit.driver, 10) == []
        assert queue.replay(unit.driver, [stored.message_id]) == 1
    with installation.database.begin() as unit:
        assert len(queue.claim(unit.driver, 10)) == 1


def test_a_replay_replaces_earlier_findings(installation: Installation) -> None:
    stored = installation.store.take([arrival(b"x")])[0]
    finding = Finding(1, "ADT^A08", "error", "required", "PID-3 is missing", "PID-3")
    for findings in ((finding, finding), (finding,)):
        with installation.database.begin() as unit:
            queue.replay(unit.driver, [stored.message_id])
            taken = queue.claim(unit.driver, 10)
            queue.finish(unit.driver, taken, [Result(stored.message_id, rejected=1, findings=findings)])
    with installation.database.begin() as unit:
        assert unit.driver.execute("SELECT count(*) FROM reject").fetchone() == (1,)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=5000))
def test_sealing_round_trips_any_bytes(tmp_path: Path, body: bytes) -> None:
    keyring = Keyring(tmp_path / "keys")
    assert keyring.unseal(keyring.seal(body)) == body


def test_changed_sealed_bytes_are_refused(tmp_path: Path) -> None:
    keyring = Keyring(tmp_path / "keys")
    sealed = bytearray(keyring.seal(b"result: negative"))
    sealed[-1] ^= 1
    with pytest.raises(DamagedError, match="changed"):
        keyring.unseal(bytes(sealed))


def test_an_older_key_still_opens_what_it_sealed(tmp_path: Path) -> None:
    old = Keyring(tmp_path / "keys").seal(b"before")
    (tmp_path / "keys" / "2.key").write_bytes(b"k" * 32)
    rotated = Keyring(tmp_path / "keys")
    assert rotated.unseal(old) == b"before"
    assert rotated.seal(b"after")[0] == 2


def test_what_was_deflated_before_it_was_sealed_stays_readable(tmp_path: Path) -> None:
    (tmp_path / "1.key").write_bytes(b"k" * 32)
    sealed = b"\1" + bytes(12) + AESGCM(b"k" * 32).encrypt(bytes(12), zlib.compress(b"before", 1), None)
    assert Keyring(tmp_path).unseal(sealed) == b"before"


def read(installation: Installation, message_id: object) -> bytes:
    return bodies(installation, message_id)


def bodies(installation: Installation, message_id: object) -> bytes:
    with installation.database.begin() as unit:
        row = unit.driver.execute("SELECT shelf FROM message WHERE message_id = %s", (message_id,)).fetchone()
        assert row is not None
        return installation.store.body(unit.driver, message_id, row[0])  # type: ignore[arg-type]


def test_unused_connections_do_not_hold_lanes(installation: Installation) -> None:
    installation.store.take([arrival(b"1", "a")])
    holder: psycopg.Connection[object] = installation.database.connect()
    queue.claim(holder, 1)
    holder.close()
    with installation.database.connect() as other:
        assert len(queue.claim(other, 1)) == 1
