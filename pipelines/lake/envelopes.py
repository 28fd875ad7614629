"""Whole tables of the record that the warehouse needs beside the change log: crosswalk, messages, rejects.

They change in place (a message is processed, a person merged), so each build writes them anew. Never a body.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from hub_core.fhir.ids import new_id
from pipelines.lake.files import settle
from pipelines.lake.manifest import LakeFile, Manifest, load_manifest, remove_strays, save_manifest

if TYPE_CHECKING:
    import psycopg

_MOMENT = pa.timestamp("us", "UTC")
_PAGE = 20_000


@dataclass(frozen=True, slots=True)
class Envelope:
    """One table: its name in the lake, the question that fills it, and its columns in that order."""

    table: str
    query: str
    schema: pa.Schema


ENVELOPES = (
    Envelope(
        "crosswalk",
        # What is said again unchanged is no new version; that it still held then is only known of the resource itself.
        "SELECT member.patient_id::text, member.person_id::text, member.valid_from, patient.event_at"
        " FROM person_member member LEFT JOIN resource patient"
        " ON patient.resource_type = 'Patient' AND patient.resource_id = member.patient_id"
        " WHERE member.valid_to IS NULL",
        pa.schema(
            [("patient_id", pa.string()), ("person_id", pa.string()), ("valid_from", _MOMENT), ("stated_at", _MOMENT)]
        ),
    ),
    Envelope(
        "messages",
        "SELECT message_id::text, arrival, feed, source, location, format, kind, control_id, size, input, position,"
        " state, sent_at, received_at, processed_at, repeats, attempts::int, records, processed, filtered, rejected,"
        " resources, changed, mapping_version FROM message",
        pa.schema(
            [
                ("message_id", pa.string()),
                ("arrival", pa.int64()),
                ("feed", pa.string()),
                ("source", pa.string()),
                ("location", pa.string()),
                ("format", pa.string()),
                ("kind", pa.string()),
                ("control_id", pa.string()),
                ("size", pa.int64()),
                ("input", pa.string()),
                ("position", pa.int32()),
                ("state", pa.string()),
                ("sent_at", _MOMENT),
                ("received_at", _MOMENT),
                ("processed_at", _MOMENT),
                ("repeats", pa.int32()),
                ("attempts", pa.int32()),
                ("records", pa.int32()),
                ("processed", pa.int32()),
                ("filtered", pa.int32()),
                ("rejected", pa.int32()),
                ("resources", pa.int32()),
                ("changed", pa.int32()),
                ("mapping_version", pa.string()),
            ]
        ),
    ),
    Envelope(
        "rejects",
        "SELECT reject_id::text, message_id::text, feed, input, position, kind, severity, code, reason, location,"
        " created_at FROM reject",
        pa.schema(
            [
                ("reject_id", pa.string()),
                ("message_id", pa.string()),
                ("feed", pa.string()),
                ("input", pa.string()),
                ("position", pa.int32()),
                ("kind", pa.string()),
                ("severity", pa.string()),
                ("code", pa.string()),
                ("reason", pa.string()),
                ("location", pa.string()),
                ("created_at", _MOMENT),
            ]
        ),
    ),
)


def replace_envelopes(connection: psycopg.Connection[Any], lake: Path) -> Manifest:
    """Write each table of envelopes anew, as of one moment, and return the manifest."""

    def rows(envelope: Envelope) -> Iterator[Sequence[Any]]:
        with connection.cursor(name=f"lake_{envelope.table}") as cursor:
            cursor.itersize = _PAGE
            cursor.execute(envelope.query.encode())
            yield from cursor

    return write_envelopes(lake, [(envelope, rows(envelope)) for envelope in ENVELOPES])


def write_envelopes(lake: Path, tables: Iterable[tuple[Envelope, Iterable[Sequence[Any]]]]) -> Manifest:
    """Put new tables of envelopes in the place of the old ones and return the manifest."""
    lake.mkdir(parents=True, exist_ok=True)
    files = tuple(_write(lake, envelope, rows) for envelope, rows in tables)
    manifest = load_manifest(lake).with_snapshots(files)
    save_manifest(lake, manifest)
    remove_strays(lake, manifest)
    return manifest


def _write(lake: Path, envelope: Envelope, rows: Iterable[Sequence[Any]]) -> LakeFile:
    folder = lake / envelope.table
    folder.mkdir(exist_ok=True)
    part, path = folder / "unfinished.parquet.part", folder / f"{new_id()}.parquet"
    count = 0
    with pq.ParquetWriter(part, envelope.schema, compression="zstd") as writer:
        for page in _pages(rows):
            writer.write_table(_table(page, envelope.schema))
            count += len(page)
    settle(part, path)
    return LakeFile(envelope.table, str(path.relative_to(lake)), count, path.stat().st_size)


def _pages(rows: Iterable[Sequence[Any]]) -> Iterator[list[Sequence[Any]]]:
    page: list[Sequence[Any]] = []
    for row in rows:
        page.append(row)
        if len(page) == _PAGE:
            yield page
            page = []
    yield page


def _table(page: list[Sequence[Any]], schema: pa.Schema) -> pa.Table:
    columns = zip(*page, strict=True) if page else [()] * len(schema)
    return pa.table(
        [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)], schema=schema
    )
