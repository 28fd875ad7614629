"""A running hub as tests see it: its address, its record to write to, its audit trail to read."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
from fastapi import FastAPI

from ehr_pm.identity import crosswalk
from ehr_pm.record.apply import apply
from ehr_pm.record.entry import Entry
from hub_core.fhir.canonical import Json
from hub_core.principals import PASSWORD_FILE
from pipelines.installation import Installation

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
_PATIENCE = 60.0
"""Seconds a client waits: a busy machine is no fault of the hub's."""


@dataclass(frozen=True, slots=True)
class Hub:
    """A running hub."""

    url: str
    installation: Installation
    app: FastAPI

    @property
    def password(self) -> str:
        return (self.installation.settings.keys_dir / PASSWORD_FILE).read_text().strip()

    def client(self, **headers: str) -> httpx.Client:
        return httpx.Client(base_url=self.url, headers=headers, timeout=_PATIENCE, trust_env=False)

    @contextmanager
    def logged_in(self) -> Iterator[httpx.Client]:
        with self.client() as client:
            answer = client.post("/login", data={"name": "admin", "password": self.password})
            assert answer.status_code == 303, answer.text
            yield client

    def program(self, *roles: tuple[str, str | None]) -> httpx.Client:
        """Return a client with a token of a new program that holds roles at locations, or in the whole group."""
        program_id, secret = uuid.uuid4(), uuid.uuid4().hex
        with self.installation.database.begin() as unit:
            run = unit.driver.execute
            run("INSERT INTO principal (principal_id, name, kind) VALUES (%s, %s, 'program')", (program_id, secret[:9]))
            run(
                "INSERT INTO access_token (token_id, principal_id, secret_sha) VALUES (%s, %s, sha256(%s::bytea))",
                (uuid.uuid4(), program_id, secret.encode()),
            )
            for role, key in roles:
                run(
                    "INSERT INTO role_assignment (assignment_id, principal_id, role, location_id, valid_from,"
                    " created_at, changed_at, version) VALUES (%s, %s, %s, %s, now(), now(), now(), 1)",
                    (uuid.uuid4(), program_id, role, self.location(key) if key else None),
                )
        return self.client(Authorization=f"Bearer {secret}")

    def location(self, key: str) -> uuid.UUID:
        """Return the location of this key, made when there is none."""
        rows = self.query("SELECT location_id FROM location WHERE key = %s", (key,))
        if rows:
            found: uuid.UUID = rows[0][0]
            return found
        body, location_id = uuid.uuid4(), uuid.uuid4()
        self.query(
            "WITH body AS (INSERT INTO organization (organization_id, name, created_at, changed_at, version)"
            " VALUES (%(body)s, %(key)s, now(), now(), 1))"
            " INSERT INTO location (location_id, key, organization_id, name, zone, created_at, changed_at, version)"
            " VALUES (%(location)s, %(key)s, %(body)s, %(key)s, 'America/Chicago', now(), now(), 1)",
            {"body": body, "location": location_id, "key": key},
        )
        return location_id

    def record(self, *resources: Json, source: str = "clinic", arrival: int = 1, location: str | None = None) -> None:
        """Write resources to the record, and place their patients with persons."""
        entries = [
            Entry(resource, source, resource["id"], location, event_at=NOON, arrival=arrival) for resource in resources
        ]
        with self.installation.database.begin() as unit:
            apply(unit.driver, entries)
            crosswalk.observe(unit.driver, [entry.resource for entry in entries])

    def audited(self, after: int = 0) -> list[tuple[Any, ...]]:
        """Return principal, outcome, type, id, patient, purpose and location of the events after the first `after`."""
        return self.query(
            "SELECT principal_id::text, outcome, resource_type, resource_id, patient_id::text, purpose, location"
            " FROM audit_event ORDER BY recorded_at, event_id OFFSET %s",
            (after,),
        )

    def query(self, statement: str, values: Sequence[Any] | dict[str, Any] = ()) -> list[tuple[Any, ...]]:
        with self.installation.database.begin() as unit:
            cursor = unit.driver.execute(statement, values)
            return list(cursor.fetchall()) if cursor.description else []


def new_id() -> str:
    return str(uuid.uuid4())


def patient(family: str = "Okafor", given: str = "Ada", **elements: Any) -> Json:
    return {
        "resourceType": "Patient",
        "id": new_id(),
        "name": [{"family": family, "given": [given]}],
        "gender": "female",
        "birthDate": "1980-04-02",
        **elements,
    }


def observation(subject: Json, **elements: Any) -> Json:
    return {
        "resourceType": "Observation",
        "id": new_id(),
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "2345-7", "display": "Glucose"}]},
        "subject": {"reference": f"Patient/{subject['id']}"},
        "effectiveDateTime": "2026-02-03T10:00:00Z",
        "valueQuantity": {"value": 98, "unit": "mg/dL"},
        **elements,
    }


def ids(bundle: Json, mode: str = "match") -> list[str]:
    return [
        entry["resource"]["id"]
        for entry in bundle.get("entry", [])
        if entry.get("search", {}).get("mode", mode) == mode
    ]


def link(bundle: Json, relation: str) -> str | None:
    return next((each["url"] for each in bundle["link"] if each["relation"] == relation), None)
