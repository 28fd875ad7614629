"""Statements made over the API: written if nobody was quicker, as the statements of a source of their own.

Whoever writes over the API has read first, decided, and written after others may have: so what is to be changed is
locked before it is read, and what was read holds until the transaction ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from psycopg.rows import class_row

from ehr_pm.identity import crosswalk
from ehr_pm.record.apply import apply
from ehr_pm.record.entry import Entry, Key, Verdict
from ehr_pm.record.queries import FOUND_COLUMNS, FOUND_TABLES, Found
from ehr_pm.record.sensitivity import hold_gate
from hub_core.feeds import API_SOURCES, STAFF_SOURCE
from hub_core.fhir.canonical import Json

if TYPE_CHECKING:
    import psycopg

_CONDITIONS: Final = 7_110_042
"""First key of the advisory locks that stand for a type whose resources are being looked for before one is made."""

_WANTED: Final = "(resource_type, resource_id) IN (SELECT * FROM unnest(%s::text[], %s::uuid[]))"
_LOCK: Final = f"""
SELECT FROM resource WHERE {_WANTED} ORDER BY resource_type, resource_id FOR UPDATE
"""
_STANDING: Final = f"SELECT {FOUND_COLUMNS} FROM {FOUND_TABLES} WHERE {_WANTED}".replace(  # noqa: S608 - words above
    "(resource_type, resource_id) IN", "(r.resource_type, r.resource_id) IN"
)
_SPEAKING: Final = """
SELECT DISTINCT patient_id::text FROM resource
WHERE patient_id = ANY(%s::uuid[]) AND resource_type <> 'Patient' AND NOT deleted
"""


@dataclass(frozen=True, slots=True)
class Statement:
    """What somebody writes: a resource with its id, or (`is_deleted`) that it is no more."""

    resource: Json
    source: str
    location: str | None
    is_deleted: bool = False

    @property
    def key(self) -> Key:
        """Return the resource's type and id."""
        return self.resource["resourceType"], self.resource["id"]


def source_of(principal_id: UUID, *, is_program: bool) -> str:
    """Return the source of what somebody writes: each program is one of its own, people are the staff together."""
    return f"{API_SOURCES}{principal_id}" if is_program else STAFF_SOURCE


def close_types(connection: psycopg.Connection[Any], resource_types: Iterable[str]) -> None:
    """Let nobody else look whether there is such a resource of these types, and make it, until this has ended.

    First of all that a transaction waits for, and in one order, lest two wait for each other.
    """
    for name in sorted(set(resource_types)):
        connection.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", (_CONDITIONS, name))


def lock(connection: psycopg.Connection[Any], keys: Iterable[Key]) -> dict[Key, Found]:
    """Return the resources that there are, deleted ones too, as they stand until this transaction ends."""
    wanted = sorted(set(keys))
    hold_gate(connection)  # before anything that whoever changes a tag will want as well
    told = [kind for kind, _ in wanted], [resource_id for _, resource_id in wanted]
    connection.execute(_LOCK, told)
    return standing(connection, wanted)  # in a statement of its own: it sees what we waited for


def standing(connection: psycopg.Connection[Any], keys: Sequence[Key]) -> dict[Key, Found]:
    """Return resources as they stand now."""
    with connection.cursor(row_factory=class_row(Found)) as cursor:
        cursor.execute(_STANDING, ([kind for kind, _ in keys], [resource_id for _, resource_id in keys]))
        return {(found.resource_type, str(found.resource_id)): found for found in cursor}


def state(
    connection: psycopg.Connection[Any],
    statements: Sequence[Statement],
    before: Mapping[Key, Found],
    moment: datetime,
    *,
    may_link: bool,
) -> list[Verdict]:
    """Write statements, and return what became of each.

    Args:
        connection: the transaction in which `before` was locked.
        statements: one of each resource at most.
        before: what stood before.
        moment: now, read after the lock was had: whoever waited for it comes later.
        may_link: whether identifiers and claims may tie patients to persons; else each new one is a person of its own.

    Raises:
        ForeignWriteError: if a resource is another source's.
        ConflictError: if another transaction created one of the resources at this moment.
    """
    if not statements:
        return []
    entries = [_entry(each, before.get(each.key), moment) for each in statements]
    verdicts = apply(connection, entries, moment=moment)
    written = [each.resource for each in statements if not each.is_deleted]
    crosswalk.observe(connection, written if may_link else [_alone(each) for each in written if _is_patient(each)])
    return verdicts


def spoken_of(connection: psycopg.Connection[Any], patient_ids: Iterable[str]) -> set[str]:
    """Return those of some patients about whom there is anything but the Patient."""
    return {row[0] for row in connection.execute(_SPEAKING, (list(patient_ids),)).fetchall()}


def _entry(statement: Statement, before: Found | None, moment: datetime) -> Entry:
    said = before.event_at if before is not None else None
    return Entry(
        statement.resource,
        statement.source,
        statement.resource["id"],
        statement.location,
        event_at=max(moment, said) if said else moment,
        is_deleted=statement.is_deleted,
    )


def _is_patient(resource: Json) -> bool:
    return bool(resource["resourceType"] == "Patient")


def _alone(patient: Json) -> Json:
    return {key: value for key, value in patient.items() if key not in ("identifier", "link")}
