"""Where versions of resources came from: who said each, in which message, read by which mapping, recorded when.

Of what is current, envelopes are found by what they are about. What may be seen of a resource may be seen of its
envelope, and nothing else.
"""
# ruff: noqa: S608 - SQL text is made of this package's own words; every value is bound

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from uuid import UUID

from psycopg.rows import class_row

from ehr_pm.record.queries import FOUND_TABLES, STRICTER, VERSION_TABLES
from ehr_pm.record.searching.conditions import any_of, seen, uuids
from ehr_pm.record.searching.criteria import Interval, Reach, Reference
from ehr_pm.record.searching.values import Bound, interval_condition
from hub_core.feeds import STAFF_SOURCE
from hub_core.fhir.registry import RESOURCE_TYPES

if TYPE_CHECKING:
    import psycopg

    from hub_core.access import Scope


Version: TypeAlias = tuple[str, UUID, int]
"""Type and id of a resource, and the number of one of its versions."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """What is known of one version of a resource beside what it says."""

    resource_key: int
    resource_type: str
    resource_id: UUID
    version: int
    source: str
    location: str | None
    patient_id: UUID | None
    sensitivity: str | None
    recorded_at: datetime
    deleted: bool
    message_id: UUID | None
    """None for what was written here, not received."""
    position: int | None
    mapping_version: str | None
    feed: str | None
    kind: str | None
    writer_id: UUID | None
    """Who of the staff wrote it over the API, where that is known."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which envelopes of current versions; what is None is not asked for, and what is empty is fulfilled by none.

    Each group must hold, and of each group one alternative.
    """

    versions: Sequence[Version] | None = None
    targets: Sequence[Sequence[Reference]] = ()
    patients: Sequence[Sequence[str]] = ()
    recorded: Sequence[Sequence[Interval]] = ()


_WRITER: Final = f"""
LEFT JOIN LATERAL (
    SELECT a.principal_id FROM audit_event a
    WHERE v.source = '{STAFF_SOURCE}' AND a.patient_id = v.patient_id
    AND a.recorded_at BETWEEN v.recorded_at - interval '1 second' AND v.recorded_at + interval '1 minute'
    AND a.resource_type = v.resource_type AND a.resource_id = v.resource_id::text
    AND a.action LIKE 'resource.%%' AND a.detail ->> 'version' = v.version::text LIMIT 1
) a ON true
"""
"""People write as one source; which of them did is in the audit trail, written in the same transaction."""
_COLUMNS: Final = (
    "r.resource_key, r.resource_type, r.resource_id, v.version, v.source, v.location, v.patient_id, {sensitivity},"
    " v.recorded_at, v.deleted, v.message_id, v.position, v.mapping_version, m.feed, m.kind,"
    " a.principal_id AS writer_id"
)
_BESIDE: Final = f"LEFT JOIN message m ON m.message_id = v.message_id {_WRITER}"
_VERSIONS: Final = f"SELECT {_COLUMNS.format(sensitivity=STRICTER)} FROM {VERSION_TABLES} {_BESIDE}"
_CURRENT: Final = f"SELECT {_COLUMNS.format(sensitivity='r.sensitivity')} FROM {FOUND_TABLES} {_BESIDE}"


def read(connection: psycopg.Connection[Any], resource_type: str, resource_id: UUID, version: int) -> Envelope | None:
    """Return the envelope of one version, current or not."""
    with connection.cursor(row_factory=class_row(Envelope)) as cursor:
        return cursor.execute(
            f"{_VERSIONS} WHERE r.resource_type = %s AND r.resource_id = %s AND v.version = %s",
            (resource_type, resource_id, version),
        ).fetchone()


def of_versions(connection: psycopg.Connection[Any], versions: Sequence[Version]) -> list[Envelope]:
    """Return the envelopes of versions that may be seen, in the order of the record."""
    with connection.cursor(row_factory=class_row(Envelope)) as cursor:
        return cursor.execute(
            f"{_VERSIONS} JOIN unnest(%s::text[], %s::uuid[], %s::int[]) AS asked (kind, id, number)"
            " ON (v.resource_type, v.resource_id, v.version) = (asked.kind, asked.id, asked.number)"
            " ORDER BY r.resource_key DESC",
            _columns(versions),
        ).fetchall()


def find(
    connection: psycopg.Connection[Any], wanted: Wanted, *, limit: int, before: int | None, reach: Reach
) -> list[Envelope]:
    """Return up to `limit` envelopes, of the latest known resource first, those of a key below `before` only.

    Args:
        connection: where to look.
        wanted: which.
        limit: how many at most.
        before: the key of a resource below which to look; None for all.
        reach: what of each type may be seen.
    """
    bound = Bound()
    where = _where(wanted, reach, bound)
    if before is not None:
        where += f" AND r.resource_key < {bound.add(before)}"
    # What is asked of some resources or patients is soon sorted; walking down all keys can take the whole table.
    key = "r.resource_key + 0" if wanted.targets or wanted.patients or wanted.versions else "r.resource_key"
    with connection.cursor(row_factory=class_row(Envelope)) as cursor:
        return cursor.execute(
            f"{_CURRENT} WHERE {where} ORDER BY {key} DESC LIMIT {bound.add(limit)}", bound.values
        ).fetchall()


def count(connection: psycopg.Connection[Any], wanted: Wanted, *, reach: Reach) -> int:
    """Return how many envelopes `find` finds in all."""
    bound = Bound()
    where = _where(wanted, reach, bound)
    row = connection.execute(f"SELECT count(*) FROM resource r WHERE {where}", bound.values).fetchone()
    return 0 if row is None else int(row[0])


def _where(wanted: Wanted, reach: Reach, bound: Bound) -> str:
    conditions = ["NOT r.deleted", _reached(reach, bound)]
    if wanted.versions is not None:
        kinds, ids, numbers = _columns(wanted.versions)
        told = f"{bound.add(kinds)}::text[], {bound.add(ids)}::uuid[], {bound.add(numbers)}::int[]"
        conditions.append(f"(r.resource_type, r.resource_id, r.version) IN (SELECT * FROM unnest({told}))")
    conditions += [any_of(_target(each, bound) for each in group) for group in wanted.targets]
    conditions += [f"r.patient_id = ANY({bound.add(uuids(group))})" for group in wanted.patients]
    moment = "r.recorded_at"
    conditions += [
        any_of(interval_condition(each, moment, moment, bound) for each in group) for group in wanted.recorded
    ]
    return " AND ".join(conditions)


def _columns(versions: Sequence[Version]) -> tuple[list[str], list[UUID], list[int]]:
    return [each[0] for each in versions], [each[1] for each in versions], [each[2] for each in versions]


def _target(wanted: Reference, bound: Bound) -> str:
    kind = "" if wanted.target_type is None else f"r.resource_type = {bound.add(wanted.target_type)} AND "
    return f"({kind}r.resource_id = ANY({bound.add(uuids([wanted.target_id]))}))"


def _reached(reach: Reach, bound: Bound) -> str:
    """Return that a resource may be seen, whatever its type."""
    types: dict[Scope | None, list[str]] = {}
    for name in RESOURCE_TYPES:
        types.setdefault(reach(name), []).append(name)
    return any_of(
        f"(r.resource_type = ANY({bound.add(names)}) AND {'true' if scope is None else seen(scope, bound)})"
        for scope, names in types.items()
    )
