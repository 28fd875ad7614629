"""Messages over HTTP and MLLP: stored before they are acknowledged, once however often they are sent."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from connectors.transport.mllp import MLLPClient
from pipelines.installation import Installation
from tests.integration.hub_api.hub import Hub

ADMISSION = (
    b"MSH|^~\\&|ADT|NORTH|HUB|GROUP|20260301120000||ADT^A01^ADT_A01|%b|P|2.5.1\r"
    b"EVN|A01|20260301120000\rPID|1||77^^^NORTH^MR||Okafor^Ada||19800402|F\rPV1|1|O\r"
)


@pytest.fixture(autouse=True)
def mllp_port(installation: Installation) -> int:
    """Configure the feeds before the hub starts; return the port of the MLLP one."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    folder: Path = installation.settings.feeds
    (folder / "adt.yml").write_text("source: north\nlocation: north clinic\nformat: hl7v2\ntransport: http\n")
    (folder / "any.yml").write_text("source: north\ntransport: http\n")
    (folder / "old.yml").write_text("source: old\ntransport: http\nfhir_release: STU3\n")
    (folder / "line.yml").write_text(f"source: north\nformat: hl7v2\ntransport: mllp\nport: {port}\n")
    return port


@pytest.fixture
def sender(hub: Hub) -> Iterator[httpx.Client]:
    """Return a client that may deliver."""
    with hub.logged_in() as client:
        yield client


def stored(hub: Hub) -> list[tuple[object, ...]]:
    return hub.query("SELECT message_id::text, feed, source, location, format, kind, control_id, state FROM message")


def test_a_message_is_stored_and_answered_with_its_id(hub: Hub, sender: httpx.Client) -> None:
    first = sender.post("/ingest/adt", content=ADMISSION % b"A1")
    assert first.status_code == 202
    message = first.json()["messages"][0]
    row = (message["message_id"], "adt", "north", "north clinic", "hl7v2", "ADT^A01", "A1", "received")
    assert stored(hub) == [row]
    again = sender.post("/ingest/adt", content=ADMISSION % b"A1")
    assert again.status_code == 202
    assert again.json()["messages"] == [{**message, "is_duplicate": True}]
    assert len(stored(hub)) == 1


def test_a_sender_of_hl7_is_answered_in_hl7(hub: Hub, sender: httpx.Client) -> None:
    headers = {"Content-Type": "application/hl7-v2; charset=utf-8"}
    answer = sender.post("/ingest/adt", content=ADMISSION % b"A2", headers=headers)
    assert answer.status_code == 202
    assert answer.headers["content-type"].startswith("application/hl7-v2")
    assert b"\rMSA|AA|A2\r" in answer.content
    assert len(stored(hub)) == 1


def test_the_format_of_a_feed_without_one_is_recognised(hub: Hub, sender: httpx.Client) -> None:
    assert sender.post("/ingest/any", content=ADMISSION % b"A3").json()["messages"][0]["kind"] == "ADT^A01"
    fhir = sender.post("/ingest/any", content=b'{"resourceType": "Patient", "id": "1"}')
    assert fhir.status_code == 202, fhir.text
    assert {row[4] for row in stored(hub)} == {"hl7v2", "fhir"}


RESOURCE = b'{"resourceType":"Condition","id":"c1","assertedDate":"2017-03-01","subject":{"display":"Jane"}}'
"""A condition of STU3."""


def test_what_is_said_of_the_release_counts_for_the_message_and_else_its_feeds_word(
    hub: Hub, sender: httpx.Client
) -> None:
    kinds = {"none": "application/fhir+json", "R4": "application/fhir+json; fhirVersion=4.0"}
    for feed, said, release in (("old", "none", "STU3"), ("old", "R4", "R4"), ("any", "none", None)):
        for is_again in (False, True):
            answer = sender.post(f"/ingest/{feed}", content=RESOURCE, headers={"Content-Type": kinds[said]})
            assert answer.json()["messages"][0]["is_duplicate"] is is_again, (feed, said)
        message_id = answer.json()["messages"][0]["message_id"]
        assert hub.query("SELECT release FROM message WHERE message_id = %s", (message_id,)) == [(release,)]
    unknown = {"Content-Type": "application/fhir+json; fhirVersion=1.0"}
    assert sender.post("/ingest/any", content=RESOURCE, headers=unknown).status_code == 400
    for _ in hub.installation.worker().drain():
        pass
    found = hub.query(
        "SELECT release, state, (SELECT reason FROM reject WHERE reject.message_id = message.message_id)"
        " FROM message ORDER BY arrival"
    )
    assert found == [
        ("STU3", "processed", None),
        ("R4", "rejected", "Condition.assertedDate is of FHIR STU3, but this is said to be FHIR R4"),
        (None, "processed", None),
    ]


def test_what_is_no_message_is_refused_and_nothing_stored(hub: Hub, sender: httpx.Client) -> None:
    for path, body, status in (
        ("/ingest/none", ADMISSION % b"A4", 404),
        ("/ingest/adt", b"", 400),
        ("/ingest/adt", b"  \r\n ", 400),
        ("/ingest/any", b"\x00\x01\x02 what is this", 400),
        ("/ingest/adt", b"\x00\x01\x02 what is this", 422),
    ):
        answer = sender.post(path, content=body)
        assert answer.status_code == status, body
        assert answer.json()["resourceType"] == "OperationOutcome"
        assert stored(hub) == []


def test_a_delivery_is_on_record(hub: Hub, sender: httpx.Client) -> None:
    sender.post("/ingest/adt", content=ADMISSION % b"A5")
    events = hub.query("SELECT location, detail->>'feed' FROM audit_event WHERE action = 'message.ingest'")
    assert events == [("north clinic", "adt")]


def test_a_message_over_mllp_is_durable_when_its_answer_comes(mllp_port: int, hub: Hub) -> None:
    with MLLPClient("127.0.0.1", mllp_port) as line:
        for number in (b"B1", b"B2", b"B1"):
            assert b"MSA|AA|" + number in line.send(ADMISSION % number)
            assert number.decode() in {row[6] for row in stored(hub)}
    assert len(stored(hub)) == 2


def test_what_is_no_message_is_kept_and_answered_so_over_mllp(mllp_port: int, hub: Hub) -> None:
    with MLLPClient("127.0.0.1", mllp_port) as line:
        assert b"MSA|AR" in line.send(b"GET / HTTP/1.1")
    assert [row[5] for row in stored(hub)] == ["unreadable"]


def test_a_delivery_too_large_is_refused(hub: Hub, sender: httpx.Client) -> None:
    size = hub.installation.settings.max_record_bytes + 1
    cookie = f"wholechart_session={sender.cookies['wholechart_session']}"
    head = f"POST /ingest/adt HTTP/1.1\r\nHost: x\r\nCookie: {cookie}\r\nContent-Length: {size}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", httpx.URL(hub.url).port or 0)) as line:
        line.sendall(head.encode())
        assert b" 413 " in line.recv(4096)
    assert stored(hub) == []
