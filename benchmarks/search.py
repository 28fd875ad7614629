"""Searches over HTTP, log-in, scope and audit included, beside the one SELECT that a patient's results take.

WHOLECHART_BENCH_RESOURCES changes how many resources are searched.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Final

import httpx
import psycopg

from benchmarks.inputs import ndjson_lines
from benchmarks.measuring import Figure, milliseconds, percentile, rounded
from benchmarks.scratch import administrator_token, free_port, ingest, new_feed, scratch_installation, serving

if TYPE_CHECKING:
    from pipelines.installation import Installation

_RESOURCES: Final = 20_000
_LINES: Final = 5_000
"""Lines of the corpus, taken in again and again, each time from a new source."""
_ASKED: Final = 60
"""How often each question is asked, of another patient, name or code each time."""
_OURS: Final = "wholechart"

_QUESTIONS: Final = {
    "results of a patient": "Observation?patient={patient}&_count=20",
    "latest results of a patient": "Observation?patient={patient}&_sort=-date&_count=20",
    "a code of a patient since a day": "Observation?patient={patient}&code={code}&date=ge2010-01-01",
    "a code above a value": "Observation?code={code}&value-quantity=gt5&_count=20",
    "by the patient's name": "Observation?patient.family={family}&_count=20",
    "people by name": "Patient?name={family}&_count=20",
    "people with a diagnosis": "Patient?_has:Condition:patient:code={diagnosis}&_count=20",
    "visits with their patients": "Encounter?patient={patient}&_include=Encounter:patient&_count=20",
}
_VALUES: Final = {
    "patient": "SELECT resource_id::text FROM resource WHERE resource_type = 'Patient'",
    "family": "SELECT DISTINCT value FROM search_string WHERE resource_type = 'Patient' AND param = 'family'",
    "code": "SELECT DISTINCT code FROM search_token WHERE resource_type = 'Observation' AND param = 'code'"
    " AND code IS NOT NULL",
    "diagnosis": "SELECT DISTINCT code FROM search_token WHERE resource_type = 'Condition' AND param = 'code'"
    " AND code IS NOT NULL",
}
_BARE: Final = """
SELECT v.body FROM resource r JOIN resource_version v ON v.batch_key = r.batch_key AND v.ordinal = r.ordinal
WHERE r.resource_type = 'Observation' AND r.patient_id = %s ORDER BY r.resource_key DESC LIMIT 20
"""


def measure(scale: float) -> Figure:
    """Return searches per second of one caller who waits for each answer, and p95 of each question."""
    wanted = max(1_000, int(int(os.environ.get("WHOLECHART_BENCH_RESOURCES", _RESOURCES)) * scale))
    with scratch_installation() as installation, ExitStack() as running:
        name, count = _fill(installation, wanted)
        values = _values(installation)
        asked = max(20, int(_ASKED * scale))
        waits = list(_waits(_client(running, installation), asked, values))
        bare = list(_bare_waits(installation, asked, values["patient"]))
    everything = [wait for _, each in waits for wait in each]
    return Figure(
        benchmark="search",
        unit="searches per second, one caller, eight questions in turn",
        results={
            _OURS: rounded(len(everything) / sum(everything)),
            "bare SELECT of a patient's results": rounded(len(bare) / sum(bare)),
        },
        input=f"{name}: {count:,} resources",
        notes="One server process; each answer waits for its audit event. The bare SELECT knows neither log-in nor"
        " scope, makes no Bundle and keeps no trail.",
        details={
            "p95 ms, all questions": milliseconds(percentile(everything, 0.95)),
            **{f"p95 ms, {what}": milliseconds(percentile(each, 0.95)) for what, each in waits},
            "p95 ms, bare SELECT": milliseconds(percentile(bare, 0.95)),
        },
    )


def _fill(installation: Installation, wanted: int) -> tuple[str, int]:
    lines = ndjson_lines(min(wanted, _LINES))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "lines.ndjson"
        path.write_bytes(b"".join(lines.items))
        for _ in range(-(-wanted // len(lines.items))):
            ingest(installation, new_feed("fhir"), path)
    with installation.database.connect(autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
        row = connection.execute("SELECT count(*) FROM resource").fetchone()
    return lines.name, 0 if row is None else row[0]


def _values(installation: Installation) -> dict[str, Iterator[str]]:
    with installation.database.begin() as unit:
        found = {name: [row[0] for row in unit.driver.execute(query).fetchall()] for name, query in _VALUES.items()}
    return {name: cycle(sorted(values)) for name, values in found.items()}


def _client(running: ExitStack, installation: Installation) -> httpx.Client:
    port = free_port()
    ours = {"WHOLECHART_DATA_DIR": str(installation.settings.data_dir), "WHOLECHART_API_PORT": str(port)}
    running.enter_context(serving("hub_api.server", port=port, environment=ours))
    headers = {"Authorization": f"Bearer {administrator_token(installation)}"}
    client = httpx.Client(base_url=f"http://127.0.0.1:{port}/fhir/", headers=headers, trust_env=False, timeout=60)
    return running.enter_context(client)


def _waits(client: httpx.Client, asked: int, values: dict[str, Iterator[str]]) -> Iterator[tuple[str, list[float]]]:
    for what, question in _QUESTIONS.items():
        addresses = [_filled(question, values) for _ in range(asked + 1)]
        waits = [_seconds(partial(_ask, client, address)) for address in addresses]
        yield what, waits[1:]  # the first one opens the connection


def _ask(client: httpx.Client, address: str) -> None:
    client.get(address).raise_for_status()


def _filled(question: str, values: dict[str, Iterator[str]]) -> str:
    return question.format(**{name: next(each) for name, each in values.items()})


def _bare_waits(installation: Installation, asked: int, patients: Iterator[str]) -> Iterator[float]:
    with installation.database.connect(autocommit=True) as connection:
        for _ in range(asked):
            yield _seconds(partial(_rows, connection, next(patients)))


def _rows(connection: psycopg.Connection, patient: str) -> int:
    return len(connection.execute(_BARE, (patient,)).fetchall())


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
