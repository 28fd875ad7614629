"""The worker: stored messages become a searchable record, in order, once, and a bad one stops nobody."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from connectors import registry
from connectors.connector import Origin, Outcome
from connectors.hl7v2.connector import HL7v2Connector
from connectors.memory import Memory, remembering
from hub_core.fhir.canonical import load_object
from hub_core.fhir.protected import protect_all
from hub_core.messages.arrival import Arrival
from pipelines import conversion
from pipelines.installation import Installation
from tests.integration.stored import bodies, standing


def adt(event: str, mrn: str, family: str, *, minute: int = 0, merged: str = "", source: str = "old-ehr") -> Arrival:
    at = f"2026030112{minute:02}00"
    text = (
        f"MSH|^~\\&|EHR|FAM|HUB|GRP|{at}||ADT^{event}|{event}{mrn}{minute}{family}|P|2.5.1\r"
        f"EVN|{event}|{at}\r"
        f"PID|1||{mrn}^^^RIVER^MR||{family}^Ada||19800101|F\r"
    )
    text += f"MRG|{merged}^^^RIVER^MR\r" if merged else "PV1|1|O\r"
    body = text.encode()
    envelope = HL7v2Connector().envelope(body, Origin(source))
    return Arrival(source, source, "hl7v2", envelope.kind, body, control_id=envelope.control_id, keys=envelope.keys)


def drain(installation: Installation) -> None:
    for _ in installation.worker().drain():
        pass


def rows(installation: Installation, query: str) -> list[tuple[object, ...]]:
    with installation.database.begin() as unit:
        return unit.driver.execute(query).fetchall()


def families(installation: Installation) -> list[str]:
    patients = standing(installation.database, "r.resource_type = 'Patient'")
    return [load_object(body)["name"][0]["family"] for body in patients]


def test_a_message_becomes_a_searchable_patient(installation: Installation) -> None:
    installation.store.take([adt("A04", "1", "Okafor")])
    drain(installation)
    assert rows(installation, "SELECT state, processed, rejected FROM message") == [("processed", 1, 0)]
    assert rows(installation, "SELECT count(*) FROM search_string WHERE value = 'okafor'") != [(0,)]


def test_a_late_older_update_does_not_win(installation: Installation) -> None:
    installation.store.take([adt("A08", "1", "Newer", minute=30), adt("A08", "1", "Older", minute=10)])
    drain(installation)
    assert families(installation) == ["Newer"]


def test_replaying_everything_changes_nothing(installation: Installation) -> None:
    installation.store.take([adt("A04", "1", "Okafor"), adt("A08", "1", "Adeyemi", minute=5), adt("A04", "2", "Berg")])
    drain(installation)
    before = rows(installation, "SELECT resource_id, version FROM resource_version ORDER BY 1, 2")
    rows(installation, "UPDATE message SET state = 'received' RETURNING 1")
    drain(installation)
    assert rows(installation, "SELECT resource_id, version FROM resource_version ORDER BY 1, 2") == before


def test_the_same_number_of_one_assigner_is_one_person_across_sources(installation: Installation) -> None:
    installation.store.take([adt("A04", "1", "Okafor"), adt("A04", "1", "Okafor", source="hospital")])
    installation.store.take([adt("A04", "2", "Berg")])
    drain(installation)
    assert rows(
        installation,
        "SELECT count(*) FROM person_member WHERE valid_to IS NULL GROUP BY person_id ORDER BY 1",
    ) == [(1,), (2,)]


def test_a_merge_joins_two_persons_and_keeps_the_oldest_id(installation: Installation) -> None:
    installation.store.take([adt("A04", "1", "Tran"), adt("A04", "2", "Tran")])
    drain(installation)
    oldest = rows(installation, "SELECT min(person_id::text) FROM person")
    installation.store.take([adt("A40", "1", "Tran", minute=9, merged="2")])
    drain(installation)
    assert rows(installation, "SELECT DISTINCT person_id::text FROM person_member WHERE valid_to IS NULL") == oldest
    assert rows(installation, "SELECT count(*) FROM person WHERE merged_into IS NOT NULL") == [(1,)]


def test_a_social_security_number_never_reaches_the_record(installation: Installation) -> None:
    arrival = adt("A04", "1", "Okafor")
    body = arrival.body.replace(b"^^^RIVER^MR", b"^^^RIVER^MR~123-45-6789^^^SSA^SS")
    installation.store.take([Arrival("old-ehr", "old-ehr", "hl7v2", "ADT^A04", body)])
    drain(installation)
    written = bodies(installation.database)
    assert [body for body in written if "us-ssn" in body or "SS" in body]
    codes = [str(code) for (code,) in rows(installation, "SELECT code FROM search_token")]
    assert not [each for each in written + codes if "123-45-6789" in each or "123456789" in each]


def test_what_messages_of_a_batch_share_is_left_as_it_was_read(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Numbers are protected, versions stamped and labels put on in copies: the next message says the same words."""
    numbered = [adt("A04", "1", "Okafor", minute=minute) for minute in range(3)]
    arrivals = [
        replace(each, body=each.body.replace(b"^^^RIVER^MR", b"^^^RIVER^MR~123-45-6789^^^SSA^SS")) for each in numbered
    ]
    with remembering() as untouched:
        for arrival in arrivals:
            list(HL7v2Connector().convert(arrival.body, Origin("old-ehr")))
    shared: list[Memory] = []

    @contextmanager
    def watched() -> Iterator[None]:
        with remembering() as memory:
            shared.append(memory)
            yield

    monkeypatch.setattr("pipelines.worker.remembering", watched)
    installation.store.take(arrivals)
    drain(installation)
    assert "123-45-6789" in str(untouched)
    assert list(map(str, shared)) == [str(untouched)]


class Stumbling(HL7v2Connector):
    """A connector with a fault of its own, for one message."""

    def convert(self, body: bytes, origin: Origin) -> Iterator[Outcome]:
        if b"Poison" in body:
            raise KeyError(body.decode())
        return super().convert(body, origin)


def test_a_fault_of_ours_rejects_one_message_and_names_no_patient(
    installation: Installation, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(registry, "connector", lambda name: Stumbling())
    installation.store.take([adt("A04", "1", "Okafor"), adt("A04", "2", "Poison"), adt("A04", "3", "Berg")])
    drain(installation)
    states = rows(installation, "SELECT state FROM message ORDER BY arrival")
    assert states == [("processed",), ("rejected",), ("processed",)]
    assert "Poison" not in caplog.text
    assert "Poison" not in str(rows(installation, "SELECT reason FROM reject"))


def test_what_the_database_refuses_is_isolated(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    """A NUL survives every parser and only PostgreSQL refuses it: the batch is tried again message by message."""
    monkeypatch.setattr(
        conversion,
        "protect_all",
        lambda resources, token: [
            {**each, "gender": "\0"} if "Poison" in str(each) else each for each in protect_all(resources, token)
        ],
    )
    installation.store.take([adt("A04", "1", "Okafor"), adt("A04", "2", "Poison"), adt("A04", "3", "Berg")])
    drain(installation)
    states = rows(installation, "SELECT state FROM message ORDER BY arrival")
    assert states == [("processed",), ("rejected",), ("processed",)]


def fhir(*resources: object) -> Arrival:
    body = b"\n".join(json.dumps(resource).encode() for resource in resources)
    return Arrival("cardiology", "cardiology", "fhir", "NDJSON", body, records=len(resources))


SOUND = {"resourceType": "Patient", "id": "sound", "name": [{"family": "Okafor"}]}


@pytest.mark.parametrize(
    "shape",
    [
        {"identifier": [{"system": "urn:id:DESK", "value": "9" * 8000}]},
        {"identifier": None},
        {"identifier": ["x"]},
        {"identifier": [{"system": 7, "value": 7, "type": None}]},
        {"identifier": [{"type": {"coding": ["x"]}, "value": "1"}]},
        {"gender": "\0"},
    ],
    ids=["endless", "null", "no object", "numbers", "no coding", "NUL"],
)
def test_whatever_shape_one_record_has_the_others_are_applied(
    installation: Installation, shape: dict[str, object]
) -> None:
    installation.store.take([fhir(SOUND, {"resourceType": "Patient", "id": "odd", **shape}), adt("A04", "1", "Berg")])
    drain(installation)
    assert rows(installation, "SELECT count(*) FROM message WHERE state = 'received'") == [(0,)]
    assert rows(installation, "SELECT count(*) FROM resource WHERE source_id = 'sound'") == [(1,)]
    assert rows(installation, "SELECT state FROM message WHERE format = 'hl7v2'") == [("processed",)]
    assert rows(installation, "SELECT sum(processed + filtered + rejected - records) FROM message") == [(0,)]


def test_a_social_security_number_is_found_wherever_it_stands(installation: Installation) -> None:
    number = {"system": "http://hl7.org/fhir/sid/us-ssn", "value": "123456789"}
    coverage = {
        "resourceType": "Coverage",
        "id": "c",
        "contained": [{"resourceType": "Patient", "identifier": [number]}],
    }
    installation.store.take([fhir({**coverage, "beneficiary": {"identifier": number}})])
    drain(installation)
    written = bodies(installation.database)
    assert len([body for body in written if "us-ssn" in body]) == 1
    assert not [body for body in written if "123456789" in body]


def test_a_later_record_without_a_time_of_its_own_is_newer(installation: Installation) -> None:
    old = {**SOUND, "meta": {"lastUpdated": "2020-01-01T00:00:00Z"}, "name": [{"family": "Old"}]}
    installation.store.take([fhir(old)])
    installation.store.take([fhir({**SOUND, "name": [{"family": "New"}]})])
    drain(installation)
    assert families(installation) == ["New"]


def test_two_workers_apply_everything_once(installation: Installation) -> None:
    installation.store.take(
        [adt("A08", str(mrn), f"V{minute}", minute=minute) for minute in range(10) for mrn in range(20)]
    )
    workers = [threading.Thread(target=drain, args=(installation,)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    drain(installation)
    assert rows(installation, "SELECT state, count(*) FROM message GROUP BY 1") == [("processed", 200)]
    assert families(installation) == ["V9"] * 20


def test_a_running_worker_is_woken_by_what_arrives(installation: Installation) -> None:
    stop = threading.Event()
    runner = threading.Thread(target=installation.worker().run, args=(stop,))
    runner.start()
    try:
        installation.store.take([adt("A04", "1", "Okafor")])
        deadline = time.monotonic() + 30
        while rows(installation, "SELECT next_seq FROM change_head") == [(1,)]:
            assert time.monotonic() < deadline, "nothing was applied and sealed"
            time.sleep(0.02)
    finally:
        stop.set()
        runner.join()
    assert rows(installation, "SELECT state FROM message") == [("processed",)]


def test_a_damaged_body_stops_only_its_message(installation: Installation, caplog: pytest.LogCaptureFixture) -> None:
    damaged, _ = installation.store.take([adt("A04", "1", "Okafor"), adt("A04", "2", "Berg")])
    of_it = f"WHERE message_id = '{damaged.message_id}'"
    rows(installation, f"UPDATE message_body SET body = set_byte(body, 40, get_byte(body, 40) # 1) {of_it} RETURNING 1")
    drain(installation)
    assert rows(installation, "SELECT state FROM message ORDER BY arrival") == [("rejected",), ("processed",)]
    assert families(installation) == ["Berg"]
    reason = "the body of this message is damaged or no longer kept; restore it from your backup"
    assert rows(installation, f"SELECT reason FROM reject {of_it}") == [(reason,)]
    assert f"message_body {damaged.message_id}: stored bytes were changed" in caplog.text


def test_a_format_nobody_reads_is_rejected_not_stuck(installation: Installation) -> None:
    installation.store.take([Arrival("x", "x", "dicom", "unknown", b"DICM")])
    drain(installation)
    assert rows(installation, "SELECT state FROM message") == [("rejected",)]
