"""Applying statements to the record: a batch of entries is decided in memory and written set-wise.

One batch costs a fixed number of statements however many resources it holds: lock what exists, decide what stands,
write the new versions. The caller's transaction makes it all or nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import chain
from typing import TYPE_CHECKING, Any

from psycopg.errors import UniqueViolation

from ehr_pm.record.bodies import unpack
from ehr_pm.record.entry import BEGINNING, Entry, Key, Rank, Verdict
from ehr_pm.record.owners import refuse_foreign
from ehr_pm.record.sensitivity import Tags, ask, hold_gate, in_force
from ehr_pm.record.standing import Current, Version
from ehr_pm.record.writing import FEW, write
from hub_core.clock import now
from hub_core.errors import ConflictError
from hub_core.fhir.canonical import load_object
from hub_core.sensitivity import bare, kind_of, strictest

if TYPE_CHECKING:
    import psycopg

_LOCK = """
SELECT r.resource_type, r.resource_id::text, r.resource_key, r.version, r.authority, r.event_at,
    coalesce(r.arrival, 0), coalesce(r.position, 1), r.content_sha, r.first_event_at, r.sensitivity, r.source,
    r.patient_id::text
FROM {wanted} AS wanted (resource_type, resource_id) JOIN resource r USING (resource_type, resource_id)
ORDER BY r.resource_type, r.resource_id FOR UPDATE OF r
"""


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
    if not entries:  # as of messages that say nothing of a patient
        return []
    recorded_at = moment or now()
    keys = [entry.key for entry in entries]
    standing, tags = _lock_existing(connection, entries, sorted(set(keys)))
    refuse_foreign(entries, {key: current.source for key, current in standing.items()}, is_owner=is_owner)
    versions: list[Version] = []
    verdicts = [_decide(entry, standing[key], tags, versions) for key, entry in zip(keys, entries, strict=True)]
    _restate(connection, [current for current in standing.values() if current.is_older_than_known], tags, versions)
    if versions:
        try:
            write(connection, versions, standing, recorded_at)
        except UniqueViolation as error:
            raise ConflictError("another writer created one of these resources at this moment") from error
    _raise_ranks(connection, standing)
    return verdicts


def _decide(entry: Entry, current: Current, tags: Tags, versions: list[Version]) -> Verdict:
    sha, rank = entry.digest, entry.rank
    ours = tags.kind_for(entry.resource, entry.location)
    is_earliest = current.hears(entry)
    is_older = current.rank is not None and rank < current.rank
    is_known = sha == current.sha and (
        entry.is_deleted or strictest(kind_of(bare(entry.resource)), ours) == current.sensitivity
    )
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
    if entry.is_deleted:
        return "deleted"
    return "created" if current.version == 1 else "updated"


def _restate(
    connection: psycopg.Connection[Any], begun_earlier: list[Current], tags: Tags, versions: list[Version]
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
            load_object(unpack(body, "resource_key", key)),
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
) -> tuple[dict[Key, Current], Tags]:
    """Return the resources as they stand, locked in one order lest two batches wait in a ring, and the tags."""
    born = {entry.key for entry in entries if entry.is_born}
    with connection.pipeline():  # sent together, one round trip
        hold_gate(connection)
        rows = _lock(connection, [key for key in keys if key not in born])
        tags = ask(connection, entries)
    standing = {key: Current() for key in keys}
    for kind, resource_id, key, version, authority, event_at, arrival, position, *stored in rows:
        rank = Rank(authority, event_at or BEGINNING, arrival, position)
        sha, first_event_at, label, source, patient = stored
        standing[kind, resource_id] = Current(
            key, version, rank, sha, label, source, patient, first_event_at=first_event_at
        )
    return standing, in_force(tags)


def _lock(connection: psycopg.Connection[Any], keys: list[Key]) -> Iterable[tuple[Any, ...]]:
    """Lock resources; told how many few are, the database plans the statement once and for all."""
    if not keys:
        return ()
    if len(keys) <= FEW:
        wanted = f"(VALUES {', '.join(['(%s, %s::uuid)'] * len(keys))})"
        return connection.execute(_LOCK.format(wanted=wanted), list(chain(*keys)))
    wanted = "unnest(string_to_array(%s, ' '), string_to_array(%s, ' ')::uuid[])"
    told = " ".join(key[0] for key in keys), " ".join(key[1] for key in keys)
    return connection.execute(_LOCK.format(wanted=wanted), told)


def _raise_ranks(connection: psycopg.Connection[Any], standing: dict[Key, Current]) -> None:
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
