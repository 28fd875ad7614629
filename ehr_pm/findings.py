"""Findings: what does not fit together, kept until it does. They name things by their ids, never by patients' data."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias
from uuid import UUID

from psycopg.rows import class_row

from hub_core.fhir.ids import new_id

if TYPE_CHECKING:
    import psycopg

Check: TypeAlias = Literal[
    "incomplete patient",
    "unknown patient",
    "unknown clinician or room",
    "unknown location",
    "no time",
    "overbooked",
    "patient in two places",
    "merge in a ring",
    "not received",
    "differs from its row",
    "not in the record",
    "no row",
    "not announced",
]

IN_WORDS: Final[dict[Check, str]] = {
    "incomplete patient": "The source names no whole name and birth date: not among our patients until it does.",
    "unknown patient": "The visit's patient is not among our patients yet: not on our schedule until they are.",
    "unknown clinician or room": "Visits name somebody or something that cannot be booked here; add it there.",
    "unknown location": "The source keeps patients or visits here, but this is said of a location that is not its own.",
    "no time": "The visit has no time: not on our schedule until it has.",
    "overbooked": "The source has booked a clinician or room beyond what they hold at once; it is kept, and seen.",
    "patient in two places": "The patient has another visit at the same time.",
    "merge in a ring": "The source merges a patient in two ways that cannot both be; one of them is followed.",
    "not received": "It could not be taken over; it stays in the record, and is tried again each night.",
    "differs from its row": "The record says something else than the row behind it.",
    "not in the record": "A row that the record does not know.",
    "no row": "The record says something for us that no row stands behind.",
    "not announced": "The partner did not take what happened here; see `wholechart announcements list`.",
}
"""Every check, as a person reads it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that does not fit."""

    check_name: Check
    subject_type: str
    subject_id: UUID
    source: str | None
    location: str | None
    found_at: datetime

    @property
    def words(self) -> str:
        """Return what it means, for a person."""
        return IN_WORDS[self.check_name]


def note(connection: psycopg.Connection[Any], findings: Iterable[Finding]) -> None:
    """Keep findings; one that is open already stays as it is."""
    rows = [
        (new_id(), each.check_name, each.subject_type, each.subject_id, each.source, each.location, each.found_at)
        for each in findings
    ]
    if rows:
        with connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO finding (finding_id, check_name, subject_type, subject_id, source, location, found_at)"
                " VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
                rows,
            )


def settle(
    connection: psycopg.Connection[Any],
    moment: datetime,
    checks: Iterable[Check],
    subjects: Iterable[tuple[str, UUID]] | None = None,
) -> None:
    """Close the open findings of some checks, about these subjects or about all of them."""
    query = "UPDATE finding SET settled_at = %s WHERE settled_at IS NULL AND check_name = ANY(%s)"
    values: tuple[Any, ...] = ()
    if subjects is not None:
        wanted = list(subjects)
        query += " AND (subject_type, subject_id) IN (SELECT * FROM unnest(%s::text[], %s::uuid[]))"
        values = ([kind for kind, _ in wanted], [each for _, each in wanted])
    connection.execute(query, (moment, list(checks), *values))


def replace(
    connection: psycopg.Connection[Any], moment: datetime, checks: Iterable[Check], found: Sequence[Finding]
) -> None:
    """Let the open findings of some checks be these: others are settled, and what was open before stays open."""
    connection.execute(
        "UPDATE finding SET settled_at = %s WHERE settled_at IS NULL AND check_name = ANY(%s)"
        " AND (check_name, subject_type, subject_id) NOT IN"
        " (SELECT * FROM unnest(%s::text[], %s::text[], %s::uuid[]))",
        (
            moment,
            list(checks),
            [each.check_name for each in found],
            [each.subject_type for each in found],
            [each.subject_id for each in found],
        ),
    )
    note(connection, found)


def open_findings(
    connection: psycopg.Connection[Any], *, locations: frozenset[str] | None = None, limit: int = 500
) -> list[Finding]:
    """Return the open findings of some locations, None being all, the newest first."""
    with connection.cursor(row_factory=class_row(Finding)) as cursor:
        return cursor.execute(
            "SELECT check_name, subject_type, subject_id, source, location, found_at FROM finding"
            " WHERE settled_at IS NULL AND (%(all)s OR location = ANY(%(keys)s))"
            " ORDER BY found_at DESC, finding_id LIMIT %(limit)s",
            {"all": locations is None, "keys": sorted(locations or ()), "limit": limit},
        ).fetchall()
