"""From a number to its rows to the bytes behind one, every look on record with whom it showed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import httpx
import pytest

from hub_core.fhir.canonical import Json
from hub_core.messages.arrival import Arrival
from hub_core.snapshot import POINTER
from tests.integration.conftest import fresh_installation
from tests.integration.hub_api.conftest import running
from tests.integration.hub_api.hub import Hub, observation, patient

TABLES = """
    CREATE SCHEMA marts;
    CREATE TABLE marts.patients (person_id VARCHAR, full_name VARCHAR, birth_date DATE, phone VARCHAR,
        locations VARCHAR[], location VARCHAR, traces VARCHAR[]);
    CREATE TABLE marts.denials (denial_id VARCHAR, person_id VARCHAR, payer_name VARCHAR, location VARCHAR,
        denied_amount DECIMAL(18, 2), is_overturned BOOLEAN, denied_date DATE, service_date DATE,
        recorded_at TIMESTAMPTZ, traces VARCHAR[]);
    CREATE TABLE marts.findings (finding_id VARCHAR, feed VARCHAR, found_at TIMESTAMPTZ, traces VARCHAR[]);
"""


@dataclass(frozen=True)
class Published:
    """A published group of two people, one of whom was denied twice."""

    hub: Hub
    ada: Json
    bo: Json
    result: Json
    message_id: str

    def looks(self, before: int = 0) -> list[tuple[Any, ...]]:
        """Return the looks at marts that are on record, but for so many of the first."""
        return self.hub.query(
            "SELECT action, patient_id::text, location, detail FROM audit_event WHERE starts_with(action, 'mart.')"
            " ORDER BY event_id OFFSET %s",
            (before,),
        )


@pytest.fixture(scope="module")
def published(server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Published]:
    """Return a hub with two snapshots: an empty one, and after it one of two people."""
    data_dir = tmp_path_factory.mktemp("marts") / "data"
    with fresh_installation(server, data_dir) as opened, running(opened, opened.settings) as hub:
        yield publish_both(hub)


@pytest.fixture(scope="module")
def reader(published: Published) -> Iterator[httpx.Client]:
    """Return a client of that hub, logged in as its administrator."""
    with published.hub.logged_in() as client:
        yield client


def publish_both(hub: Hub) -> Published:
    ada, bo = patient("Okafor", "Ada"), patient("Bello", "Bo")
    result = observation(ada)
    hub.record(ada, bo, result, location="north")
    stored = hub.installation.store.take([Arrival("lab", "clinic", "hl7v2", "ORU^R01", b"MSH|^~\\&|bytes\rOBX|1")])[0]
    hub.query("UPDATE resource_version SET message_id = %s WHERE resource_type = 'Observation'", (stored.message_id,))
    folder = hub.installation.settings.warehouse_dir
    publish(folder, "warehouse-1", "2026-03-01T00:00:00+00:00")
    with duckdb.connect(str(folder / "warehouse-2.duckdb")) as warehouse:
        warehouse.execute(TABLES)
        for person, one in (("p-ada", ada), ("p-bo", bo)):
            warehouse.execute(
                "INSERT INTO marts.patients VALUES (?, ?, '1980-04-02', '555-0100', ['north'], 'north', ?)",
                [person, one["name"][0]["family"], [f"Patient/{one['id']}"]],
            )
        seen = [f"Observation/{result['id']}"]
        warehouse.execute(
            "INSERT INTO marts.denials VALUES"
            " ('d1', 'p-ada', 'Prairie', 'north', 12.10, false, '2026-01-05', NULL, '2026-01-06 10:00:00+00', $seen),"
            " ('d2', 'p-ada', 'Prairie', 'north', 7.00, true, NULL, '2026-02-05', '2026-02-06 10:00:00+00', $seen),"
            " ('d3', 'p-bo', 'O''Brien; --', NULL, 5.00, false, '2026-03-05', NULL, '2026-03-06 10:00:00+00', $seen)",
            {"seen": seen},
        )
        warehouse.execute(
            "INSERT INTO marts.findings VALUES ('f1', 'lab', '2026-03-01 00:00:00+00', ?)",
            [[f"Message/{stored.message_id}"]],
        )
    publish(folder, "warehouse-2", "2026-03-02T00:00:00+00:00")
    return Published(hub, ada, bo, result, str(stored.message_id))


def publish(folder: Path, name: str, built_at: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / f"{name}.duckdb").exists():
        with duckdb.connect(str(folder / f"{name}.duckdb")) as warehouse:
            warehouse.execute(TABLES)
    said = {"built_at": built_at, "fingerprint": name, "last_seq": 1}
    (folder / f"{name}.json").write_text(json.dumps(said), encoding="utf-8")
    (folder / POINTER).write_text(f"{name}.duckdb\n", encoding="utf-8")


def where(column: str, test: str, value: str = "") -> dict[str, str]:
    return {"column": column, "test": test, "value": value}


@pytest.mark.parametrize(
    ("conditions", "keys"),
    [
        ([], ["d3", "d1", "d2"]),
        ([where("payer_name", "is", "Prairie")], ["d1", "d2"]),
        ([where("payer_name", "is", "O'Brien; --")], ["d3"]),
        ([where("payer_name", "is", "' OR true --")], []),
        ([where("is_overturned", "is", "false"), where("denied_amount", "not", "5")], ["d1"]),
        ([where("denied_date", "from", "2026-01-05"), where("denied_date", "before", "2026-03-05")], ["d1"]),
        ([where("denied_date,service_date", "before", "2026-03-01")], ["d1", "d2"]),
        ([where("location", "missing")], ["d3"]),
        ([where("location", "not", "north")], ["d3"]),
    ],
)
def test_the_rows_are_those_that_fulfil_every_condition(
    published: Published, reader: httpx.Client, conditions: list[dict[str, str]], keys: list[str]
) -> None:
    answer = reader.post("/api/marts/denials/rows", json={"where": conditions}).json()
    assert [row["denial_id"] for row in answer["rows"]] == keys
    assert answer["total"] == len(keys)


def test_rows_name_their_person_and_keep_every_cent(published: Published, reader: httpx.Client) -> None:
    answer = reader.post("/api/marts/denials/rows", json={"limit": 1, "offset": 1}).json()
    assert (answer["key"], answer["total"]) == ("denial_id", 3)
    assert {"name": "denied_amount", "type": "DECIMAL(18,2)"} in answer["columns"]
    (row,) = answer["rows"]
    assert (row["denied_amount"], row["denied_date"], row["recorded_at"]) == (
        "12.10",
        "2026-01-05",
        "2026-01-06T10:00:00.000Z",
    )
    assert "traces" not in row
    assert answer["people"] == [{"name": "Okafor", "birth_date": "1980-04-02", "phone": "555-0100"}]


def test_who_is_shown_is_on_record(published: Published, reader: httpx.Client) -> None:
    before = len(published.looks())
    reader.post("/api/marts/denials/rows", json={"where": [where("payer_name", "is", "Prairie")]})
    reader.post("/api/marts/patients/rows", json={"where": [where("locations", "has", "south")]})
    assert published.looks(before) == [
        ("mart.rows", published.ada["id"], "north", {"mart": "denials", "rows": 2}),
        ("mart.rows", None, None, {"mart": "patients", "rows": 0}),
    ]


@pytest.mark.parametrize(
    ("mart", "asked", "status"),
    [
        ("nothing", {}, 404),
        ('denials"; DROP TABLE marts.denials; --', {}, 404),
        ("denials", {"where": [where('payer_name" = ?; --', "is", "x")]}, 400),
        ("denials", {"where": [where("denied_date", "from", "soon")]}, 400),
        ("denials", {"where": [where("payer_name", "has", "x")]}, 400),
        ("denials", {"where": [where("payer_name", "like", "x")]}, 422),
        ("denials", {"limit": 501}, 422),
        ("denials", {"snapshot": "../../etc/passwd"}, 404),
    ],
)
def test_what_cannot_be_asked_is_refused(
    published: Published, reader: httpx.Client, mart: str, asked: dict[str, Any], status: int
) -> None:
    assert reader.post(f"/api/marts/{mart}/rows", json=asked).status_code == status
    assert reader.post("/api/marts/denials/rows", json={}).json()["total"] == 3


def test_an_earlier_snapshot_still_answers(published: Published, reader: httpx.Client) -> None:
    assert reader.post("/api/marts/denials/rows", json={"snapshot": "1"}).json()["total"] == 0
    assert reader.post("/api/marts/denials/rows", json={"snapshot": "2"}).json()["total"] == 3
    assert reader.post("/api/marts/denials/trace", json={"snapshot": "1", "key": "d1"}).status_code == 404


def test_before_the_first_build_there_are_no_rows(hub: Hub, admin: httpx.Client) -> None:
    assert admin.post("/api/marts/patients/rows", json={}).status_code == 404


def test_a_row_leads_to_the_bytes_that_said_so(published: Published, reader: httpx.Client) -> None:
    before = len(published.looks())
    answer = reader.post("/api/marts/denials/trace", json={"key": "d1"}).json()
    (resource,) = answer["resources"]
    assert resource["reference"] == f"Observation/{published.result['id']}"
    message = resource["versions"][0]["message"]
    assert (message["message_id"], message["feed"]) == (published.message_id, "lab")
    assert message["text"] == "MSH|^~\\&|bytes\rOBX|1"
    assert published.looks(before) == [("mart.trace", published.ada["id"], None, {"mart": "denials", "key": "d1"})]


def test_a_message_is_a_look_at_everybody_it_speaks_of(published: Published, reader: httpx.Client) -> None:
    before = len(published.looks())
    answer = reader.post("/api/marts/findings/trace", json={"key": "f1"}).json()
    assert [message["message_id"] for message in answer["messages"]] == [published.message_id]
    assert [look[:2] for look in published.looks(before)] == [("mart.trace", published.ada["id"])]


def test_a_row_that_is_not_there_is_said_to_be(published: Published, reader: httpx.Client) -> None:
    assert reader.post("/api/marts/denials/trace", json={"key": "d9"}).status_code == 404
