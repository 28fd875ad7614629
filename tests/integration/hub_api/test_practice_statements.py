"""How often the database is asked for a page or a board does not depend on how much there is to show."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, time, timedelta
from typing import Any

import psycopg
import pytest

from tests.integration.hub_api.hub import new_id
from tests.integration.hub_api.practice import Practice, Worker, today

_MOST = 25
"""Statements of a patient's page."""


@contextmanager
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Give a list that every statement of this process is added to."""
    said: list[str] = []
    with monkeypatch.context() as patched:
        for name in ("execute", "executemany"):
            original = getattr(psycopg.Cursor, name)

            def noted(cursor: Any, query: Any, *values: Any, _original: Any = original, **more: Any) -> Any:
                said.append(str(query))
                return _original(cursor, query, *values, **more)

            patched.setattr(psycopg.Cursor, name, noted)
        yield said


def asked(worker: Worker, path: str, monkeypatch: pytest.MonkeyPatch) -> int:
    """Return how many statements an address takes, once what is kept between requests is there."""
    for _ in range(2):
        assert worker.client.get(path).status_code == 200
    with counted(monkeypatch) as said:
        assert worker.client.get(path).status_code == 200
    return len(said)


def test_a_patient_with_a_thousand_encounters_takes_few(practice: Practice, monkeypatch: pytest.MonkeyPatch) -> None:
    ada, doctor = practice.registered(), practice.works("clinician")
    practice.insured(ada)
    subject = {"reference": f"Patient/{ada['patient_id']}"}
    coded = {"code": "AMB", "display": "ambulatory"}
    visits = [
        {"resourceType": "Encounter", "id": new_id(), "status": "finished", "class": coded, "subject": subject}
        for _ in range(1000)
    ]
    practice.hub.record(*visits, location="northgate")
    for days in range(5):
        practice.booked(ada, datetime.combine(today(), time(9)) + timedelta(days=days + 10))
    for path in ("/work/patients", "/api/practice/patients"):
        assert asked(doctor, f"{path}/{ada['patient_id']}", monkeypatch) <= _MOST, path
    assert asked(doctor, f"/api/practice/patients/{ada['patient_id']}/appointments", monkeypatch) <= _MOST


def test_a_full_day_takes_as_many_as_an_almost_empty_one(practice: Practice, monkeypatch: pytest.MonkeyPatch) -> None:
    desk, midnight = practice.works("front_desk"), datetime.combine(today(), time())
    path = f"/api/practice/locations/{practice.north.location_id}/day"
    practice.booked(practice.registered("First"), midnight)
    few = asked(desk, path, monkeypatch)
    for number in range(1, 9):
        practice.booked(practice.registered(f"Family{number}"), midnight + timedelta(minutes=30 * number))
    assert asked(desk, path, monkeypatch) == few
