"""Writes what was decided: new versions, current pointers and index rows, in a fixed number of statements.

Many versions go in by COPY; a few, as an act at a desk makes them, by one statement instead.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import orjson

from ehr_pm.record.bodies import pack
from ehr_pm.record.copying import NOTHING, cell, copy_lines
from ehr_pm.record.entry import Key
from ehr_pm.record.index import index_of_new, write_index
from ehr_pm.record.standing import Current, Version
from hub_core.clock import instant
from hub_core.errors import ConflictError
from hub_core.fhir.canonical import Json, dumps

if TYPE_CHECKING:
    import psycopg

_ENVELOPE = (
    "resource_type, resource_id, version, source, source_id, location, patient_id, event_at, first_event_at, authority,"
    " arrival, content_sha, recorded_at, message_id, position, mapping_version, sensitivity, deleted, batch_key,"
    " ordinal"
)
_COLUMNS = _ENVELOPE.split(", ")
_RESTATED = ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS)

FEW = 8
"""Versions that are cheaper in one statement than by COPY and what follows it."""
_STATE = f"""
WITH batch AS (
    INSERT INTO change_batch (size) VALUES (%(size)s::integer) RETURNING batch_key
), stated AS (
    SELECT {_ENVELOPE.replace("batch_key", "batch.batch_key")}, body
    FROM batch, json_populate_recordset(NULL::resource_version, %(versions)s::json) AS told
), kept AS (
    INSERT INTO resource_version ({_ENVELOPE}, body) SELECT {_ENVELOPE}, body FROM stated
), pointer AS (
    INSERT INTO resource AS known ({_ENVELOPE})
    SELECT {_ENVELOPE} FROM stated ORDER BY resource_type, resource_id
    ON CONFLICT (resource_type, resource_id)
        DO UPDATE SET {_RESTATED} WHERE known.version = excluded.version - 1
    RETURNING resource_type, resource_id, resource_key, ordinal
){{index}}
SELECT resource_type, resource_id::text, resource_key FROM pointer
"""  # noqa: S608 - names above


def write(
    connection: psycopg.Connection[Any],
    versions: list[Version],
    standing: dict[Key, Current],
    recorded_at: datetime,
) -> None:
    """Write versions, the pointers to the latest of each resource, and what those are found by.

    Raises:
        ConflictError: if another transaction created one of the resources at this moment.
    """
    latest = [current.latest for current in standing.values() if current.latest is not None]
    replaced = [key for v in latest if (key := standing[v.entry.key].resource_key) is not None]
    found = [v for v in latest if not v.entry.is_deleted]  # what is gone is found by nothing
    is_few = len(latest) == len(versions) <= FEW
    if is_few and not replaced:
        index = index_of_new((v.ordinal, v.resource) for v in found)
        _state(connection, versions, standing, recorded_at, index)
        return
    if is_few:
        keys = _state(connection, versions, standing, recorded_at)
    else:
        keys = _copy(connection, versions, latest, standing, recorded_at)
    write_index(connection, [(keys[v.entry.key], v.resource) for v in found], replaced=replaced)


def _state(
    connection: psycopg.Connection[Any],
    versions: list[Version],
    standing: dict[Key, Current],
    recorded_at: datetime,
    index: tuple[str, dict[str, str]] = ("", {}),
) -> dict[Key, int]:
    """Write a few versions, each of another resource, and their pointers in one statement; return the resources' keys.

    A pointer that is not at the version before was made or moved by somebody else, and stays. Where all are new their
    index goes with them; else it must be read first what they were found by.
    """
    told = [_told(each, standing[each.entry.key].first_event_at, recorded_at) for each in versions]
    insertions, values = index
    values = {"size": str(len(told)), "versions": orjson.dumps(told).decode(), **values}
    rows = connection.execute(_STATE.format(index=insertions), values).fetchall()
    if len(rows) != len(versions):
        raise ConflictError("another writer created one of these resources at this moment")
    return {(kind, resource_id): key for kind, resource_id, key in rows}


def _copy(
    connection: psycopg.Connection[Any],
    versions: list[Version],
    latest: list[Version],
    standing: dict[Key, Current],
    recorded_at: datetime,
) -> dict[Key, int]:
    """Write versions by COPY, then their pointers from them; return the resources' keys."""
    batch = connection.execute(
        "INSERT INTO change_batch (size) VALUES (%s) RETURNING batch_key", (len(versions),)
    ).fetchone()
    batch_key = batch[0] if batch else 0  # INSERT ... RETURNING always gives its row
    _copy_versions(connection, versions, standing, recorded_at, batch_key)
    born = [v for v in latest if standing[v.entry.key].resource_key is None]
    moved = [v for v in latest if standing[v.entry.key].resource_key is not None]
    return _insert_pointers(connection, born, batch_key) | _move_pointers(connection, moved, standing, batch_key)


def _copy_versions(
    connection: psycopg.Connection[Any],
    versions: list[Version],
    standing: dict[Key, Current],
    recorded_at: datetime,
    batch_key: int,
) -> None:
    # In key order: two batches with the same new resources then wait for each other one way only.
    ordered = sorted(versions, key=lambda each: (each.entry.key, each.version))
    lines = (_line(each, standing[each.entry.key].first_event_at, recorded_at, batch_key) for each in ordered)
    copy_lines(connection, "resource_version", f"{_ENVELOPE}, body", lines)


def stamped(resource: Json, version: int, recorded_at: datetime) -> Json:
    """Return the resource as it is stored: with our `meta.versionId` and `meta.lastUpdated` (R4 section 2.27.3)."""
    meta = {**resource.get("meta", {}), "versionId": str(version), "lastUpdated": instant(recorded_at)}
    rest = {key: value for key, value in resource.items() if key not in ("resourceType", "id", "meta")}
    return {"resourceType": resource["resourceType"], "id": resource["id"], "meta": meta, **rest}


def _told(version: Version, first_event_at: datetime | None, recorded_at: datetime) -> Json:
    entry = version.entry
    kind, resource_id = entry.key
    return {
        "resource_type": kind,
        "resource_id": resource_id,
        "version": version.version,
        "source": entry.source,
        "source_id": entry.source_id,
        "location": entry.location,
        "patient_id": version.patient_id,
        "event_at": entry.event_at,
        "first_event_at": first_event_at,
        "authority": int(entry.authority),
        "arrival": entry.arrival,
        "content_sha": f"\\x{version.sha.hex()}",
        "recorded_at": recorded_at,
        "message_id": entry.message_id,
        "position": entry.position,
        "mapping_version": entry.mapping_version,
        "sensitivity": version.sensitivity,
        "deleted": entry.is_deleted,
        "ordinal": version.ordinal,
        "body": f"\\x{_body(version, recorded_at).hex()}",
    }


def _line(version: Version, first_event_at: datetime | None, recorded_at: datetime, batch_key: int) -> str:
    entry = version.entry
    kind, resource_id = entry.key
    cells = (
        kind,
        resource_id,
        str(version.version),
        cell(entry.source),
        cell(entry.source_id),
        cell(entry.location),
        cell(version.patient_id),
        NOTHING if entry.event_at is None else entry.event_at.isoformat(),
        NOTHING if first_event_at is None else first_event_at.isoformat(),
        str(int(entry.authority)),
        str(entry.arrival),
        f"\\\\x{version.sha.hex()}",
        recorded_at.isoformat(),
        NOTHING if entry.message_id is None else str(entry.message_id),
        str(entry.position),
        cell(entry.mapping_version),
        cell(version.sensitivity),
        "t" if entry.is_deleted else "f",
        str(batch_key),
        str(version.ordinal),
        f"\\\\x{_body(version, recorded_at).hex()}",
    )
    return "\t".join(cells)


def _body(version: Version, recorded_at: datetime) -> bytes:
    return pack(dumps(stamped(version.resource, version.version, recorded_at)))


def _insert_pointers(
    connection: psycopg.Connection[Any],
    born: list[Version],
    batch_key: int,
) -> dict[Key, int]:
    if not born:
        return {}
    rows = connection.execute(
        f"INSERT INTO resource ({_ENVELOPE}) SELECT {_ENVELOPE} FROM resource_version"  # noqa: S608 - names above
        " WHERE batch_key = %s AND ordinal = ANY(%s) ORDER BY resource_type, resource_id"
        " ON CONFLICT DO NOTHING RETURNING resource_type, resource_id::text, resource_key",
        (batch_key, [version.ordinal for version in born]),
    ).fetchall()
    if len(rows) != len(born):
        raise ConflictError("another writer created one of these resources at this moment")
    return {(kind, resource_id): key for kind, resource_id, key in rows}


def _move_pointers(
    connection: psycopg.Connection[Any],
    moved: list[Version],
    standing: dict[Key, Current],
    batch_key: int,
) -> dict[Key, int]:
    if not moved:
        return {}
    connection.execute(
        f"UPDATE resource SET {', '.join(f'{name} = v.{name}' for name in _COLUMNS)}"  # noqa: S608
        " FROM resource_version v WHERE v.batch_key = %s AND v.ordinal = ANY(%s)"
        " AND resource.resource_type = v.resource_type AND resource.resource_id = v.resource_id",
        (batch_key, [version.ordinal for version in moved]),
    )
    return {v.entry.key: key for v in moved if (key := standing[v.entry.key].resource_key) is not None}
