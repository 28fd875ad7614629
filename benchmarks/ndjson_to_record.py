"""NDJSON lines to the record, as `wholechart ingest` takes them, beside a plain COPY and a server of transactions."""

from __future__ import annotations

import tempfile
from itertools import count
from pathlib import Path

import psycopg

from benchmarks.inputs import ndjson_lines
from benchmarks.measuring import Contender, Figure, Work, prefixed, take_turns
from benchmarks.scratch import cpu_clock, ingest, new_feed, scratch_installation
from benchmarks.transactions import TransactionServer, transaction_server
from pipelines.installation import Installation

_LINES = 4000
_TABLE = """
DROP TABLE IF EXISTS bare_line;
CREATE TABLE bare_line (line_key bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body text NOT NULL);
CREATE UNIQUE INDEX ON bare_line ((body::jsonb ->> 'resourceType'), (body::jsonb ->> 'id'));
"""


def measure(scale: float) -> Figure:
    """Return resources per CPU second of this process and PostgreSQL together."""
    lines = ndjson_lines(max(100, int(_LINES * scale)))
    with (
        tempfile.TemporaryDirectory() as folder,
        scratch_installation() as installation,
        transaction_server() as peer,
    ):
        path = Path(folder) / "lines.ndjson"
        path.write_bytes(b"".join(lines.items))
        contenders = {
            "wholechart": _ingest(installation, path),
            "bare COPY": _copy(installation, lines.items),
            "sekmet-fhir, transactions": _post(peer, lines.items),
        }
        rates = take_turns(contenders, cpu=cpu_clock(installation, peer.process))
    return Figure(
        benchmark="ndjson_to_record",
        unit="resources per CPU second of ingest and PostgreSQL together",
        results=rates.cpu,
        input=f"{lines.name}: {len(lines.items)} lines, {sum(map(len, lines.items)) // len(lines.items)} bytes each",
        notes="wholechart: cut, stored encrypted, validated, references rewritten; versions, search index, crosswalk"
        " and change log written durably, each time from a new source. The bare COPY stores the lines with a unique"
        " index on type and id. sekmet-fhir gets a hundred resources in each transaction, as it is installed: strict"
        " validation, SQLite.",
        details=prefixed("wall, resources/s:", rates.wall),
    )


def _ingest(installation: Installation, path: Path) -> Contender:
    def make_ready() -> Work:
        feed = new_feed("fhir")
        return lambda: ingest(installation, feed, path)

    return make_ready


def _copy(installation: Installation, lines: list[bytes]) -> Contender:
    def make_ready() -> Work:
        with installation.database.connect(autocommit=True) as connection:
            connection.execute(_TABLE)
        return lambda: _copy_lines(installation.database.connect(), lines)

    return make_ready


def _post(peer: TransactionServer, lines: list[bytes]) -> Contender:
    rounds = count()
    return lambda: peer.taking(lines, next(rounds))


def _copy_lines(connection: psycopg.Connection, lines: list[bytes]) -> int:
    with connection, connection.cursor() as cursor, cursor.copy("COPY bare_line (body) FROM STDIN") as copy:
        for line in lines:
            copy.write_row((line.decode(),))
    return len(lines)
