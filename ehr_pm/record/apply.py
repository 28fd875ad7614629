"""Writing to the record: a batch of entries becomes versions, current pointers and index rows, set-wise.

One batch costs a fixed number of statements however many resources it holds: lock what exists, decide in memory, COPY
the new versions, insert or move the pointers, replace the index rows. A few versions, as an act at a desk makes them,
go in by one statement instead. The caller's transaction makes it all or nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeAlias

import orjson
from psycopg.errors import UniqueViolation

from ehr_pm.record.copying import NOTHING, cell, copy_lines
from ehr_pm.record.entry import BEGINNING, Entry, Rank, Verdict
from ehr_pm.record.index import write_index
from ehr_pm.record.owners import refuse_foreign
from ehr_pm.record.sensitivity import Tags, ask, hold_gate, in_force, settled
from hub_core.clock import instant, now
from hub_core.errors import ConflictError
from hub_core.fhir.canonical import Json, content_hash, dumps, load_object
from hub_core.fhir.registry import patient_id
from hub_core.sensitivity import bare, kind_of, strictest

if TYPE_CHECKING:
    import psycopg

Key: TypeAlias = tuple[str, str]

_ENVELOPE = (
    "resource_type, resource_id, version, source, source_id, location, patient_id, event_at, first_event_at, authority,"
    " arrival, content_sha, recorded_at, message_id, position, mapping_version, sensitivity, batch_key, ordinal"
)
_COLUMNS = _ENVELOPE.split(", ")
_RESTATED = ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS)

_LOCK = """
SELECT r.resource_type, r.resource_id::text, r.resource_key, r.version, r.authority, r.event_at,
    coalesce(r.arrival, 0), coalesce(r.position, 1), r.content_sha, r.first_event_at, r.sensitivity, r.source
FROM {wanted} AS wanted (resource_type, resource_id) JOIN resource r USING (resource_type, resource_id)
ORDER BY r.resource_type, r.resource_id FOR UPDATE OF r
"""
_FEW = 8
"""Versions that are cheaper in one statement than by COPY and what follows it."""
_STATE = f"""
WITH batch AS (
    INSERT INTO change_batch (size) VALUES (%s) RETURNING batch_key
), stated AS (
    SELECT {_ENVELOPE.replace("batch_key", "batch.batch_key")}, body
    FROM batch, json_populate_recordset(NULL::resource_version, %s::json) AS told
), kept AS (
    INSERT INTO resource_version ({_ENVELOPE}, body) SELECT {_ENVELOPE}, body FROM stated
)
INSERT INTO resource AS known ({_ENVELOPE})
SELECT {_ENVELOPE} FROM stated ORDER BY resource_type, resource_id
ON CONFLICT (resource_type, resource_id)
    DO UPDATE SET {_RESTATED}, deleted = false WHERE known.version = excluded.version - 1
RETURNING resource_type, resource_id::text, resource_key
"""  # noqa: S608 - names above

_ABOUT_IT = 2
"""The authority of a message that is about a resource, and does not only mention it."""


@dataclass(slots=True)
class _Current:
    """A resource as it stands while the batch is being decided."""

    resource_key: int | None = None
    version: int = 0
    rank: Rank | None = None
    sha: bytes = b""
    sensitivity: str | None = None
    source: str | None = None
    latest: _Version | None = None
    is_raised: bool = False
    first_event_at: datetime | None = None
    is_older_than_known: bool = False
    """Something that does not stand said that it began earlier than the record knows."""

    def hears(self, entry: Entry) -> bool:
        """Return whether a message about the resource tells of an earlier event than any before, and keep it."""
        if entry.authority < _ABOUT_IT or entry.event_at is None:
            return False
        if self.first_event_at is not None and self.first_event_at <= entry.event_at:
            return False
        self.first_event_at = entry.event_at
        return True

    def stand(self, entry: Entry, rank: Rank, sha: bytes, ours: str | None, versions: list[_Version]) -> None:
        """Let a statement stand from here on, as one more version, with the label that we add to it if we do."""
        self.version += 1
        self.rank, self.sha = rank, sha
        resource, self.sensitivity = settled(entry.resource, ours)
        patient = patient_id(entry.resource)
        self.latest = _Version(entry, resource, self.sensitivity, self.version, sha, len(versions), patient)
        versions.append(self.latest)


@dataclass(frozen=True, slots=True)
class _Version:
    """One version to be written."""

    entry: Entry
    resource: Json
    sensitivity: str | None
    version: int
    sha: bytes
    ordinal: int
    patient_id: str | None


def apply(
    connection: psycopg.Connection[Any],
    entries: Sequence[Entry],
    *,
    moment: datetime | None = None,
    is_owner: bool = False,
) -> list[Verdict]:
    """Write entries in order and return what became of each.

    Args:
        connection: a transaction.
        entries: what sources state.
        moment: when it is recorded; now, if it is not said.
        is_owner: whether this is the service whose rows stand behind what is ours.

    Raises:
        ForeignWriteError: if a resource is another source's, or ours and written by anybody else.
        ConflictError: if another transaction created one of the resources at this moment; roll back and do it again.
    """
    recorded_at = moment or now()
    keys = [entry.key for entry in entries]
    standing, tags = _lock_existing(connection, entries, sorted(set(keys)))
    refuse_foreign(entries, {key: current.source for key, current in standing.items()}, is_owner=is_owner)
    versions: list[_Version] = []
    verdicts = [_decide(entry, standing[key], tags, versions) for key, entry in zip(keys, entries, strict=True)]
    _restate(connection, [current for current in standing.values() if current.is_older_than_known], tags, versions)
    if versions:
        try:
            _write(connection, versions, standing, recorded_at)
        except UniqueViolation as error:
            raise ConflictError("another writer created one of these resources at this moment") from error
    _raise_ranks(connection, standing)
    return verdicts


def _decide(entry: Entry, current: _Current, tags: Tags, versions: list[_Version]) -> Verdict:
    sha, rank = content_hash(entry.resource), entry.rank
    ours = tags.kind_for(entry.resource, entry.location)
    is_earliest = current.hears(entry)
    is_older = current.rank is not None and rank < current.rank
    is_known = sha == current.sha and strictest(kind_of(bare(entry.resource)), ours) == current.sensitivity
    if is_known and current.rank is not None and rank.authority <= current.rank.authority:
        if not is_older and rank != current.rank:
            current.rank = rank
            current.is_raised = True
        current.is_older_than_known |= is_earliest
        return "unchanged"
    if is_older:
        current.is_older_than_known |= is_earliest
        return "stale"
    current.stand(entry, rank, sha, ours, versions)
    return "created" if current.version == 1 else "updated"


def _restate(
    connection: psycopg.Connection[Any], begun_earlier: list[_Current], tags: Tags, versions: list[_Version]
) -> None:
    """Write what stands anew where it began earlier than was known: whoever reads the change log must learn it too."""
    silent = {current.resource_key: current for current in begun_earlier if current.latest is None}
    if not silent:
        return
    rows = connection.execute(
        "SELECT r.resource_key, v.source, v.source_id, v.location, v.message_id, v.mapping_version, v.body"
        " FROM resource r JOIN resource_version v USING (batch_key, ordinal)"
        " WHERE r.resource_key = ANY(%s) AND NOT r.deleted ORDER BY r.resource_type, r.resource_id",
        (list(silent),),
    )
    for key, source, source_id, location, message_id, mapping_version, body in rows.fetchall():
        current = silent[key]
        if (rank := current.rank) is None:  # only what does not exist has none
            continue
        entry = Entry(
            load_object(body.encode()),
            source,
            source_id,
            location,
            None if rank.event_at == BEGINNING else rank.event_at,
            rank.authority,
            rank.arrival,
            message_id,
            rank.position,
            mapping_version,
        )
        current.stand(entry, rank, current.sha, tags.kind_for(entry.resource, location), versions)


def _lock_existing(
    connection: psycopg.Connection[Any], entries: Sequence[Entry], keys: list[Key]
) -> tuple[dict[Key, _Current], Tags]:
    """Return the resources as they stand, locked in one order lest two batches wait in a ring, and the tags."""
    with connection.pipeline():  # sent together, one round trip
        hold_gate(connection)
        rows = connection.execute(*_lock(keys))
        tags = ask(connection, entries)
    standing = {key: _Current() for key in keys}
    for kind, resource_id, key, version, authority, event_at, arrival, position, *stored in rows:
        rank = Rank(authority, event_at or BEGINNING, arrival, position)
        sha, first_event_at, label, source = stored
        standing[kind, resource_id] = _Current(key, version, rank, sha, label, source, first_event_at=first_event_at)
    return standing, in_force(tags)


def _lock(keys: list[Key]) -> tuple[str, Sequence[str]]:
    """Return the statement that locks resources; told how many few are, the database plans it once and for all."""
    if len(keys) <= _FEW:
        return _LOCK.format(wanted=f"(VALUES {', '.join(['(%s, %s::uuid)'] * len(keys))})"), list(chain(*keys))
    wanted = "unnest(string_to_array(%s, ' '), string_to_array(%s, ' ')::uuid[])"
    return _LOCK.format(wanted=wanted), (" ".join(key[0] for key in keys), " ".join(key[1] for key in keys))


def _raise_ranks(connection: psycopg.Connection[Any], standing: dict[Key, _Current]) -> None:
    """Let a newer statement of the same content stand for it, so that an older different one stays stale."""
    raised = [(key, c.rank) for key, c in standing.items() if c.is_raised and c.rank]
    if not raised:
        return
    connection.execute(
        "UPDATE resource SET authority = n.authority, event_at = n.event_at, arrival = n.arrival, position = n.position"
        " FROM unnest(%s::text[], %s::uuid[], %s::smallint[], %s::timestamptz[], %s::bigint[], %s::int[])"
        " AS n (resource_type, resource_id, authority, event_at, arrival, position)"
        " WHERE resource.resource_type = n.resource_type AND resource.resource_id = n.resource_id",
        (
            [key[0] for key, _ in raised],
            [key[1] for key, _ in raised],
            [rank.authority for _, rank in raised],
            [_stored_time(rank.event_at) for _, rank in raised],
            [rank.arrival for _, rank in raised],
            [rank.position for _, rank in raised],
        ),
    )


def _stored_time(event_at: datetime) -> datetime | None:
    return None if event_at == BEGINNING else event_at


def _write(
    connection: psycopg.Connection[Any],
    versions: list[_Version],
    standing: dict[Key, _Current],
    recorded_at: datetime,
) -> None:
    latest = [current.latest for current in standing.values() if current.latest is not None]
    if len(latest) == len(versions) <= _FEW:
        keys = _state(connection, versions, standing, recorded_at)
    else:
        keys = _copy(connection, versions, latest, standing, recorded_at)
    write_index(
        connection,
        [(keys[v.entry.key], v.resource) for v in latest],
        replaced=[key for v in latest if (key := standing[v.entry.key].resource_key) is not None],
    )


def _state(
    connection: psycopg.Connection[Any],
    versions: list[_Version],
    standing: dict[Key, _Current],
    recorded_at: datetime,
) -> dict[Key, int]:
    """Write a few versions, each of another resource, and their pointers in one statement; return the resources' keys.

    A pointer that is not at the version before was made or moved by somebody else, and stays.
    """
    told = [_told(each, standing[each.entry.key].first_event_at, recorded_at) for each in versions]
    rows = connection.execute(_STATE, (len(told), orjson.dumps(told).decode())).fetchall()
    if len(rows) != len(versions):
        raise ConflictError("another writer created one of these resources at this moment")
    return {(kind, resource_id): key for kind, resource_id, key in rows}


def _copy(
    connection: psycopg.Connection[Any],
    versions: list[_Version],
    latest: list[_Version],
    standing: dict[Key, _Current],
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
    versions: list[_Version],
    standing: dict[Key, _Current],
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


def _told(version: _Version, first_event_at: datetime | None, recorded_at: datetime) -> Json:
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
        "ordinal": version.ordinal,
        "body": dumps(stamped(version.resource, version.version, recorded_at)).decode(),
    }


def _line(version: _Version, first_event_at: datetime | None, recorded_at: datetime, batch_key: int) -> str:
    entry = version.entry
    kind, resource_id = entry.key
    body = dumps(stamped(version.resource, version.version, recorded_at)).decode()
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
        str(batch_key),
        str(version.ordinal),
        body.replace("\\", "\\\\"),  # JSON has no other character that COPY gives a meaning to
    )
    return "\t".join(cells)


def _insert_pointers(
    connection: psycopg.Connection[Any],
    born: list[_Version],
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
    moved: list[_Version],
    standing: dict[Key, _Current],
    batch_key: int,
) -> dict[Key, int]:
    if not moved:
        return {}
    connection.execute(
        f"UPDATE resource SET {', '.join(f'{name} = v.{name}' for name in _COLUMNS)}, deleted = false"  # noqa: S608
        " FROM resource_version v WHERE v.batch_key = %s AND v.ordinal = ANY(%s)"
        " AND resource.resource_type = v.resource_type AND resource.resource_id = v.resource_id",
        (batch_key, [version.ordinal for version in moved]),
    )
    return {v.entry.key: key for v in moved if (key := standing[v.entry.key].resource_key) is not None}
