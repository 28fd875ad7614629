"""Writes what was decided: new versions, current pointers and index rows, in a fixed number of statements.

Many versions go in by COPY; a few, as an act at a desk makes them, by one statement instead.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import orjson

from ehr_pm.record.bodies import pack
from ehr_pm.record.copying import NOTHING, cell, common_cell, copy_lines
from ehr_pm.record.entry import BEGINNING, Key
from ehr_pm.record.index import index_of_new, write_index
from ehr_pm.record.standing import Current, Version
from hub_core.clock import instant
from hub_core.errors import ConflictError
from hub_core.fhir.canonical import Json, dumps

if TYPE_CHECKING:
    import psycopg

_ENVELOPE = (
    "resource_type, resource_id, version, source, source_id, location, patient_id, event_at, first_event_at, authority,"
    " arrival, message_id, position, mapping_version, sensitivity, deleted, ordinal, batch_key, recorded_at"
)
"""What a version and the pointer to the latest one both say."""
_POINTER = f"{_ENVELOPE}, content_sha"
_RESTATED = ", ".join(f"{name} = excluded.{name}" for name in _POINTER.split(", "))

FEW = 8
"""Versions that are cheaper in one statement than by COPY and what follows it."""
_STATE = f"""
WITH batch AS (
    INSERT INTO change_batch (size) VALUES (%(size)s::integer) RETURNING batch_key
), stated AS (
    SELECT {_POINTER.replace("batch_key", "batch.batch_key")}
    FROM batch, json_populate_recordset(NULL::resource, %(versions)s::json) AS told
), kept AS (
    INSERT INTO resource_version ({_ENVELOPE}, body)
    SELECT {_ENVELOPE}, (%(bodies)s::bytea[])[ordinal + 1] FROM stated
), pointer AS (
    INSERT INTO resource AS known ({_POINTER})
    SELECT {_POINTER} FROM stated ORDER BY resource_type, resource_id
    ON CONFLICT (resource_type, resource_id)
        DO UPDATE SET {_RESTATED} WHERE known.version = excluded.version - 1
    RETURNING resource_type, resource_id, resource_key, ordinal
){{index}}
SELECT resource_type, resource_id::text, resource_key FROM pointer
"""  # noqa: S608 - names above
_BEGIN = """
WITH batch AS (INSERT INTO change_batch (size) VALUES (%s) RETURNING batch_key)
SELECT batch_key, ARRAY(SELECT nextval('resource_resource_key_seq') FROM generate_series(1, %s)) FROM batch
"""
# A version by its key, whatever the database thinks of how many there are: a batch of now is in no statistics.
_MOVE = f"""
UPDATE resource SET content_sha = moved.content_sha, ({_ENVELOPE}) = (
    SELECT {_ENVELOPE} FROM resource_version v WHERE v.batch_key = %s AND v.ordinal = moved.ordinal
)
FROM unnest(%s::bigint[], %s::int[], %s::bytea[]) AS moved (resource_key, ordinal, content_sha)
WHERE resource.resource_key = moved.resource_key
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
    replaced = [key for v in latest if (key := standing[v.key].resource_key) is not None]
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
    write_index(connection, [(keys[v.key], v.resource) for v in found], replaced=replaced)


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
    told = [_told(each, standing[each.key].first_event_at, recorded_at) for each in versions]
    bodies = [_body(each, recorded_at) for each in versions]
    insertions, values = index
    stated = {"size": str(len(told)), "versions": orjson.dumps(told).decode(), "bodies": bodies}
    rows = connection.execute(_STATE.format(index=insertions), stated | values).fetchall()
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
    """Write versions and the pointers to what is new by COPY, and move other pointers; return the resources' keys."""
    known = {v.key: key for v in latest if (key := standing[v.key].resource_key) is not None}
    born = [v.key for v in latest if v.key not in known]
    batch_key, drawn = connection.execute(_BEGIN, (len(versions), len(born))).fetchall()[0]
    keys = dict(zip(born, drawn, strict=True))
    batch = f"{batch_key}\t{recorded_at.isoformat()}"
    kept: list[str] = []
    pointers: list[str] = []
    # In key order: two batches with the same new resources then wait for each other one way only.
    for each in sorted(versions, key=attrgetter("key", "version")):
        current = standing[each.key]
        envelope = f"{_line(each, current.first_event_at)}\t{batch}"
        kept.append(f"{envelope}\t\\\\x{_body(each, recorded_at).hex()}")
        if current.resource_key is None and each is current.latest:
            if current.is_raised:
                envelope = f"{_line(_raised(each, current), current.first_event_at)}\t{batch}"
                current.is_raised = False
            pointers.append(f"{envelope}\t\\\\x{each.sha.hex()}\t{keys[each.key]}")
    copy_lines(connection, "resource_version", f"{_ENVELOPE}, body", kept)
    copy_lines(connection, "resource", f"{_POINTER}, resource_key", pointers)
    _move_pointers(connection, [v for v in latest if v.key in known], known, batch_key)
    return keys | known


def stamped(resource: Json, version: int, recorded_at: datetime) -> Json:
    """Return the resource as it is stored: with our `meta.versionId` and `meta.lastUpdated` (R4 section 2.27.3)."""
    said: Json = {"resourceType": "", "id": "", "meta": {}, **resource}
    said["meta"] = {**said["meta"], "versionId": str(version), "lastUpdated": instant(recorded_at)}
    return said


def _told(version: Version, first_event_at: datetime | None, recorded_at: datetime) -> Json:
    entry = version.entry
    kind, resource_id = version.key
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
    }


def _line(version: Version, first_event_at: datetime | None) -> str:
    """Return what the envelope says of a version by itself, as cells in the order of `_ENVELOPE`."""
    entry = version.entry
    kind, resource_id = version.key
    event_at = NOTHING if entry.event_at is None else entry.event_at.isoformat()
    if first_event_at is entry.event_at:
        began_at = event_at
    else:
        began_at = NOTHING if first_event_at is None else first_event_at.isoformat()
    return (
        f"{kind}\t{resource_id}\t{version.version}\t{common_cell(entry.source)}\t{cell(entry.source_id)}"
        f"\t{common_cell(entry.location)}\t{cell(version.patient_id)}\t{event_at}\t{began_at}"
        f"\t{int(entry.authority)}\t{entry.arrival}\t{NOTHING if entry.message_id is None else entry.message_id.hex}"
        f"\t{entry.position}\t{common_cell(entry.mapping_version)}\t{common_cell(version.sensitivity)}"
        f"\t{'t' if entry.is_deleted else 'f'}\t{version.ordinal}"
    )


def _raised(version: Version, current: Current) -> Version:
    """Return a version as its pointer tells of it: ranked as the last statement that said the same."""
    authority, event_at, arrival, position = current.rank or version.entry.rank
    known_at = None if event_at == BEGINNING else event_at
    entry = replace(version.entry, authority=authority, event_at=known_at, arrival=arrival, position=position)
    return replace(version, entry=entry)


def _body(version: Version, recorded_at: datetime) -> bytes:
    return pack(dumps(stamped(version.resource, version.version, recorded_at)))


def _move_pointers(
    connection: psycopg.Connection[Any], moved: list[Version], known: dict[Key, int], batch_key: int
) -> None:
    if moved:
        keys = [known[v.key] for v in moved]
        connection.execute(_MOVE, (batch_key, keys, [v.ordinal for v in moved], [v.sha for v in moved]))
