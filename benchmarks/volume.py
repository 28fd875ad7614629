"""A lake of any size: the resources of the public corpora again and again, each time of other people."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import duckdb
import pyarrow as pa

from benchmarks.inputs import ndjson_lines
from benchmarks.lake_to_marts import changes_of
from hub_core.quoting import literal
from pipelines.lake.change_log import CHANGE
from pipelines.lake.manifest import LakeFile, Manifest, load_manifest, save_manifest
from pipelines.lake.writer import append

_LINES = 20_000
"""Resources that are told apart; a larger lake has them several times."""
_UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_BODY = f"""regexp_replace(body, '("(?:reference|id)":"(?:[A-Za-z]+/)?{_UUID})"', '\\1-' || copy || '"', 'g') AS body"""
_RENAMED = """replace(replace(body, '"family":"', '"family":"New '), '"name":"', '"name":"New ')"""
_ROW_GROUP = 20_000


def write_volume(lake: Path, resources: int) -> Manifest:
    """Write a lake of about so many resources, each in its first version."""
    lines = ndjson_lines(min(resources, _LINES)).items
    log = pa.Table.from_pylist([change._asdict() for change in changes_of(lines)], schema=CHANGE)
    with tempfile.TemporaryDirectory() as text:
        few = append(lambda *_: iter([log]), log.num_rows, Path(text))
        copies = max(1, resources // log.num_rows)
        manifest = Manifest()
        for file in few.files:
            file = _copied(lake, Path(text), file, copies, manifest.last_seq)
            manifest = manifest.extended((file,), file.last_seq)
    save_manifest(lake, manifest)
    return manifest


def change_some(lake: Path, one_of: int) -> int:
    """Append a second version of one of so many resources of each type, and return how many there are.

    Whatever has a name gets a new one: what looks it up changes too.
    """
    manifest = load_manifest(lake)
    before = manifest.last_seq
    for file in manifest.files:
        query = (
            "SELECT * REPLACE (2 AS version, recorded_at + INTERVAL 1 DAY AS recorded_at,"  # noqa: S608 - own files
            f" row_number() OVER () + {manifest.last_seq} AS seq, {_RENAMED} AS body)"
            f" FROM read_parquet({literal(str(lake / file.path))}) WHERE hash(resource_id) % {one_of} = 0"
        )
        path = f"{file.table}/changed.parquet"
        if rows := _write(lake / path, query):
            last = manifest.last_seq
            written = LakeFile(file.table, path, rows, (lake / path).stat().st_size, last + 1, last + rows)
            manifest = manifest.extended((written,), last + rows)
    save_manifest(lake, manifest)
    return manifest.last_seq - before


def _copied(lake: Path, few: Path, file: LakeFile, copies: int, after: int) -> LakeFile:
    """Write the resources of a file so many times, each copy with ids and references of its own."""
    query = (
        f"SELECT * EXCLUDE (copy) REPLACE (row_number() OVER () + {after} AS seq,"  # noqa: S608 - own files
        f" resource_id || '-' || copy AS resource_id, patient_id || '-' || copy AS patient_id, {_BODY})"
        f" FROM read_parquet({literal(str(few / file.path))}), range({copies}) AS copies(copy)"
    )
    (lake / file.table).mkdir(parents=True, exist_ok=True)
    rows = file.rows * copies
    path = f"{file.table}/{after + 1}-{after + rows}.parquet"
    _write(lake / path, query)
    size = (lake / path).stat().st_size
    return replace(file, path=path, rows=rows, bytes=size, first_seq=after + 1, last_seq=after + rows)


def _write(path: Path, query: str) -> int:
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'; SET preserve_insertion_order = false")
        into = f"TO {literal(str(path))} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {_ROW_GROUP})"
        return int(connection.execute(f"COPY ({query}) {into}").fetchall()[0][0])
