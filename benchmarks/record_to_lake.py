"""Changes of the record to the Parquet files of the lake, beside a bare COPY, and a fetch with a bare Parquet write."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.inputs import ndjson_lines
from benchmarks.measuring import Contender, Figure, Work, prefixed, take_turns
from benchmarks.scratch import cpu_clock, ingest, new_feed, scratch_installation
from ehr_pm.record import changes
from ehr_pm.record.bodies import unpack
from pipelines.installation import Installation
from pipelines.lake.writer import append_changes

_LINES = 20_000
_QUERY = """
SELECT b.first_seq + v.ordinal AS seq, v.resource_type, v.resource_id::text, v.version, v.source, v.source_id,
       v.location, v.patient_id::text, v.sensitivity, v.event_at, v.recorded_at, v.message_id::text, v.position,
       v.mapping_version, v.deleted, v.body
FROM change_batch b JOIN resource_version v USING (batch_key)
"""


def measure(scale: float) -> Figure:
    """Return changes per CPU second of this process and PostgreSQL together."""
    lines = ndjson_lines(max(100, int(_LINES * scale)))
    with tempfile.TemporaryDirectory() as text, scratch_installation() as installation:
        folder = Path(text)
        _fill(installation, folder / "lines.ndjson", lines.items)
        contenders = {
            "wholechart": _append(installation, folder),
            "bare COPY TO STDOUT": lambda: lambda: _copy(installation),
            "bare fetch and Parquet": lambda: lambda: _fetch(installation, folder / "bare.parquet"),
        }
        rates = take_turns(contenders, rounds=5, cpu=cpu_clock(installation))
    return Figure(
        benchmark="record_to_lake",
        unit="changes per CPU second of the writer and PostgreSQL together",
        results=rates.cpu,
        input=f"{lines.name}: {len(lines.items)} lines in the record, each round into an empty lake",
        notes="wholechart: a file per resource type, durable, with a manifest. COPY throws"
        " its rows away; the fetch writes one unordered file, not flushed to disk.",
        details=prefixed("wall, changes/s:", rates.wall),
    )


def _fill(installation: Installation, path: Path, lines: list[bytes]) -> None:
    path.write_bytes(b"".join(lines))
    ingest(installation, new_feed("fhir"), path)
    with installation.database.begin() as unit:
        changes.seal(unit.driver)


def _append(installation: Installation, folder: Path) -> Contender:
    def make_ready() -> Work:
        lake = Path(tempfile.mkdtemp(dir=folder))

        def work() -> int:
            return append_changes(installation.database, lake).last_seq

        return work

    return make_ready


def _copy(installation: Installation) -> int:
    with installation.database.connect() as connection, connection.cursor() as cursor:
        with cursor.copy(f"COPY ({_QUERY}) TO STDOUT") as copy:
            for _ in copy:
                pass
        return cursor.rowcount


def _fetch(installation: Installation, path: Path) -> int:
    with installation.database.connect() as connection:
        cursor = connection.execute(_QUERY)
        names = [column.name for column in cursor.description or ()]
        rows = cursor.fetchall()
    rows = [(*envelope, unpack(body)) for *envelope, body in rows]
    columns = [pa.array(values) for values in zip(*rows, strict=True)]
    pq.write_table(pa.table(columns, names=names), path, compression="zstd")
    return len(rows)
