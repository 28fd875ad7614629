"""Patient reads with log-in checked and audit durable, beside the same bytes from memory and from PostgreSQL alone."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from benchmarks.inputs import lines_of
from benchmarks.measuring import Figure
from benchmarks.scratch import (
    Server,
    administrator_token,
    free_port,
    ingest,
    new_feed,
    scratch_installation,
    serving,
)
from benchmarks.wire import Loads, http_exchange, offer

if TYPE_CHECKING:
    from pipelines.installation import Installation

_PATIENTS = 300
_CONNECTIONS = (1, 8)
_SECONDS = 2.0
_ROUNDS = 3
_OURS = "wholechart"


@dataclass(frozen=True, slots=True)
class _Contender:
    """A server, where on it the patients are, and what to send along."""

    server: Server
    path: str
    headers: str = ""

    def requests(self, patients: list[UUID]) -> Iterator[bytes]:
        """Yield a request for each patient in turn, without end."""
        head = f"Host: 127.0.0.1\r\n{self.headers}\r\n"
        return cycle([f"GET {self.path}/Patient/{each} HTTP/1.1\r\n{head}".encode() for each in patients])


def measure(scale: float) -> Figure:
    """Return reads per second over kept connections, each of which waits for its answer."""
    lines = lines_of("Patient", _PATIENTS)
    loads = Loads()
    with scratch_installation() as installation, ExitStack() as running:
        patients = _fill(installation, lines.items)
        contenders = _contenders(running, installation)
        for _ in range(_ROUNDS):
            for connections in _CONNECTIONS:
                for name, contender in contenders.items():
                    exchange = http_exchange(contender.requests(patients))
                    load = offer(contender.server, exchange, connections=connections, seconds=_SECONDS * scale)
                    loads.add(name, connections, load)
    return Figure(
        benchmark="fhir_read",
        unit="Patient reads per second, 8 connections",
        results={name: loads.rate(name, 8) for name in contenders},
        input=f"{lines.name}: {len(patients)} patients in turn",
        notes="One server process, HTTP/1.1 kept alive, the client on the same cores. wholechart checks a bearer token"
        " against the database, reads the current version there, and answers once the audit event is on disk.",
        details=loads.details(_OURS),
    )


def _fill(installation: Installation, lines: list[bytes]) -> list[UUID]:
    """Take patients to the record and return their ids."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "Patient.ndjson"
        path.write_bytes(b"".join(lines))
        ingest(installation, new_feed("fhir"), path)
    with installation.database.begin() as unit:
        rows = unit.driver.execute("SELECT resource_id FROM resource WHERE resource_type = 'Patient'").fetchall()
    return [row[0] for row in rows]


def _contenders(running: ExitStack, installation: Installation) -> dict[str, _Contender]:
    hub_port, bare_port = free_port(), free_port()
    ours = {"WHOLECHART_DATA_DIR": str(installation.settings.data_dir), "WHOLECHART_API_PORT": str(hub_port)}
    hub = running.enter_context(serving("hub_api.server", port=hub_port, environment=ours))
    bare = running.enter_context(
        serving(
            "benchmarks.baselines.bare_reader",
            str(bare_port),
            port=bare_port,
            environment={"BARE_DATABASE": installation.database.conninfo},
        )
    )
    return {
        _OURS: _Contender(hub, "/fhir", f"Authorization: Bearer {administrator_token(installation)}\r\n"),
        "bare Starlette, from memory": _Contender(bare, "/memory"),
        "bare Starlette, from PostgreSQL": _Contender(bare, "/postgres"),
    }
