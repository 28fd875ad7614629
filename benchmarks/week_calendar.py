"""The week of twelve clinicians with five thousand series, drawn and audited, and one of its days."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from datetime import date, timedelta
from itertools import repeat
from typing import TYPE_CHECKING, Any, Final
from unittest.mock import patch

import psycopg
from fastapi.testclient import TestClient

from benchmarks.clinic import Clinic, open_clinic
from benchmarks.measuring import Figure, milliseconds, percentile, rounded
from benchmarks.scratch import administrator_token, free_port, scratch_installation, serving
from benchmarks.wire import Loads, http_exchange, offer
from hub_api.app import create_app
from hub_core.clock import now

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.installation import Installation

_SERIES: Final = 5_000
_SECONDS, _ROUNDS = 3.0, 3
_WEEK, _DAY = "wholechart", "wholechart, a day"

# A series comes every six weeks at one half hour of one clinician's week, nine times; so five weeks of six are full.
_MADE: Final = """
CREATE TEMPORARY TABLE made ON COMMIT DROP AS
SELECT gen_random_uuid() AS series_id, n AS number, (%(clinicians)s::uuid[])[1 + n %% 12] AS clinician_id,
    (%(patients)s::uuid[])[1 + n %% cardinality(%(patients)s::uuid[])] AS patient_id,
    %(monday)s::date + (k / 80) * 7 + (k %% 5) + time '08:00' + (k / 5 %% 16) * interval '30 min' AS first
FROM generate_series(0, %(count)s - 1) n, LATERAL (SELECT n / 12 AS k);
"""
_SERIES_ROWS: Final = """
INSERT INTO appointment_series (series_id, patient_id, location_id, visit_type_id, local_start, rrule, created_at,
    changed_at, version)
SELECT series_id, patient_id, %(location)s, %(visit_type)s, first, 'FREQ=WEEKLY;INTERVAL=6;COUNT=9', now(), now(), 1
FROM made
"""
# One visit of each series is skipped, and one is moved to the night: to a row of its own, as people do it.
_VISITS: Final = """
CREATE TEMPORARY TABLE visit ON COMMIT DROP AS
SELECT gen_random_uuid() AS appointment_id, made.*, turn, first + turn * interval '6 weeks' AS original,
    first + turn * interval '6 weeks' - is_moved::int * interval '8 hours' AS local, is_moved,
    CASE WHEN turn = 1 + number %% 8 THEN 'cancelled' WHEN turn = number %% 8 AND NOT is_moved THEN 'rescheduled'
        ELSE 'booked' END AS status
FROM made, generate_series(0, 8) turn, unnest(ARRAY[false, true]) is_moved WHERE NOT is_moved OR turn = number %% 8;
"""
_APPOINTMENTS: Final = """
INSERT INTO appointment (appointment_id, patient_id, location_id, visit_type_id, status, starts_at, ends_at,
    local_start, series_id, original_start, created_at, changed_at, version)
SELECT appointment_id, patient_id, %(location)s, %(visit_type)s, status, local AT TIME ZONE 'UTC',
    local AT TIME ZONE 'UTC' + interval '30 min', local, CASE WHEN NOT is_moved THEN series_id END,
    CASE WHEN NOT is_moved THEN original END, now(), now(), 1
FROM visit
"""
_BOOKINGS: Final = """
INSERT INTO resource_booking (appointment_id, taken_id, kind, lane, during, is_blocking)
SELECT appointment_id, taken_id, kind, CASE kind WHEN 'patient' THEN 1 + row_number() OVER (
        PARTITION BY patient_id, local ORDER BY appointment_id) ELSE 1 END,
    tstzrange(local AT TIME ZONE 'UTC', local AT TIME ZONE 'UTC' + interval '30 min'), status = 'booked'
FROM visit, LATERAL (VALUES (clinician_id, 'practitioner'), (patient_id, 'patient')) taken (taken_id, kind)
"""
_BARE: Final = """
SELECT taken_id, during, a.status, a.local_start, p.family
FROM resource_booking b JOIN appointment a USING (appointment_id) JOIN patient p ON p.patient_id = a.patient_id
WHERE b.is_blocking AND b.kind = 'practitioner' AND a.starts_at >= %s AND a.starts_at < %s
"""


def measure(scale: float) -> Figure:
    """Return pages per second over one kept connection."""
    loads, waits = Loads(), list[float]()
    with scratch_installation() as installation, ExitStack() as running:
        monday = _monday()
        visits = _fill(installation, open_clinic(installation), monday, max(600, int(_SERIES * scale)))
        asked = f"Host: 127.0.0.1\r\nAuthorization: Bearer {administrator_token(installation)}\r\n\r\n"
        port = free_port()
        ours = {"WHOLECHART_DATA_DIR": str(installation.settings.data_dir), "WHOLECHART_API_PORT": str(port)}
        hub = running.enter_context(serving("hub_api.server", port=port, environment=ours))
        paths = {_WEEK: f"/work/calendar?first={monday}", _DAY: f"/work/calendar?first={monday}&span=day"}
        for _ in range(_ROUNDS):
            for name, path in paths.items():
                request = f"GET {path} HTTP/1.1\r\n{asked}".encode()
                load = offer(hub, http_exchange(repeat(request)), connections=1, seconds=_SECONDS * scale)
                loads.add(name, 1, load)
                waits += load.answered_in if name == _WEEK else []
        statements = _statements(installation, paths[_WEEK])
    return Figure(
        benchmark="week_calendar",
        unit="pages per second, 1 connection",
        results={name: loads.rate(name, 1) for name in paths},
        input=f"12 clinicians, {_SERIES:,} series of nine visits, each with one skipped and one moved;"
        f" {visits:,} visits in the week shown",
        notes="Access decided for every visit, an audit event for every patient durable, the page rendered.",
        details={
            "p95 ms": milliseconds(percentile(waits, 0.95)),
            "visits in the week": float(visits),
            "SQL statements a page": float(statements),
            **{f"rate: {name}": rounded(loads.rate(name, 1)) for name in paths},
        },
    )


def _monday() -> date:
    """Return a Monday on which nothing is in the past."""
    today = now().date()
    return today + timedelta(days=14 - today.weekday())


def _fill(installation: Installation, clinic: Clinic, monday: date, count: int) -> int:
    """Write the series down and return how many visits the first week has."""
    values = {
        "patients": list(clinic.patients),
        "clinicians": list(clinic.clinicians),
        "location": clinic.location_id,
        "visit_type": clinic.visit_type_id,
        "monday": monday,
        "count": count,
    }
    with installation.database.begin() as unit:
        for statement in (_MADE, _SERIES_ROWS, _VISITS, _APPOINTMENTS, _BOOKINGS):
            unit.driver.execute(statement, values)
        unit.driver.execute("ANALYZE appointment, resource_booking, appointment_series, patient")
        return len(unit.driver.execute(_BARE, (monday, monday + timedelta(days=7))).fetchall())


def _statements(installation: Installation, path: str) -> int:
    """Return how many statements one page asks of the database, counted in a hub inside this process."""
    token = administrator_token(installation)
    with TestClient(create_app(installation.settings)) as client, _counting() as asked:
        assert client.get(path, headers={"Authorization": f"Bearer {token}"}).status_code == 200
        return len(asked)


@contextmanager
def _counting() -> Iterator[list[str]]:
    asked: list[str] = []
    execute = psycopg.Cursor.execute

    def counted(cursor: Any, query: Any, *values: Any, **more: Any) -> Any:
        asked.append(str(query))
        return execute(cursor, query, *values, **more)

    with patch.object(psycopg.Cursor, "execute", counted):
        yield asked
