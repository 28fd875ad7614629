"""Reading the record: one resource, its versions, everything of a patient, and who the patients of a person are."""
# ruff: noqa: S608 - SQL text is made of this file's own words; every value is bound

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from psycopg.rows import class_row

from ehr_pm.record.bodies import unpack
from ehr_pm.record.scope import OF_PROGRAMMES, condition
from hub_core.sensitivity import KINDS

if TYPE_CHECKING:
    import psycopg

    from hub_core.access import Scope


class _Stored:
    """What comes with a body, which is unpacked only for whoever looks at it."""

    __slots__ = ()
    resource_type: str
    resource_id: UUID
    version: int
    packed: bytes

    @property
    def body(self) -> str:
        """Return the JSON text."""
        return unpack(self.packed, self.resource_type, self.resource_id, self.version).decode()


@dataclass(frozen=True, slots=True)
class Found(_Stored):
    """One version of a resource: its envelope, and its body."""

    resource_key: int
    resource_type: str
    resource_id: UUID
    version: int
    source: str
    location: str | None
    patient_id: UUID | None
    sensitivity: str | None
    event_at: datetime | None
    recorded_at: datetime
    deleted: bool
    message_id: UUID | None
    packed: bytes


_STRICTEST = "(array[" + ", ".join(f"'{kind}'" for kind in KINDS) + "])"
FOUND_COLUMNS = (
    "r.resource_key, r.resource_type, r.resource_id, v.version, v.source, v.location, v.patient_id,"
    " coalesce(r.sensitivity, v.sensitivity) AS sensitivity, v.event_at, v.recorded_at, r.deleted, v.message_id,"
    " v.body AS packed"
)
FOUND_TABLES = "resource r JOIN resource_version v ON v.batch_key = r.batch_key AND v.ordinal = r.ordinal"
_CURRENT = "coalesce(r.sensitivity, v.sensitivity) AS sensitivity"
STRICTER = (
    f"coalesce({_STRICTEST}[least(array_position({_STRICTEST}, r.sensitivity),"
    f" array_position({_STRICTEST}, v.sensitivity))], r.sensitivity, v.sensitivity) AS sensitivity"
)
"""An old version is as sensitive as it was, and as the resource is now."""
VERSION_COLUMNS = FOUND_COLUMNS.replace("r.deleted", "v.deleted").replace(_CURRENT, STRICTER)
VERSION_TABLES = (
    "resource r JOIN resource_version v ON v.resource_type = r.resource_type AND v.resource_id = r.resource_id"
)

SHARED_TYPES = (
    "Device",
    "HealthcareService",
    "Location",
    "Medication",
    "Organization",
    "Practitioner",
    "PractitionerRole",
)
"""Types that belong to no patient and are read together with the resources that refer to them."""
_OPEN = f"(coalesce(r.sensitivity <> ALL(%(hidden)s), true) OR {OF_PROGRAMMES})"
_UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_SHARED_REFERENCE = re.compile(f'"reference":"({"|".join(SHARED_TYPES)})/({_UUID})"')


def read(connection: psycopg.Connection[Any], resource_type: str, resource_id: UUID) -> Found | None:
    """Return the current version of a resource, which may say that it was deleted."""
    with connection.cursor(row_factory=class_row(Found)) as cursor:
        return cursor.execute(
            f"SELECT {FOUND_COLUMNS} FROM {FOUND_TABLES} WHERE r.resource_type = %s AND r.resource_id = %s",
            (resource_type, resource_id),
        ).fetchone()


def read_version(
    connection: psycopg.Connection[Any], resource_type: str, resource_id: UUID, version: int
) -> Found | None:
    """Return one version of a resource."""
    with connection.cursor(row_factory=class_row(Found)) as cursor:
        return cursor.execute(
            f"SELECT {VERSION_COLUMNS} FROM {VERSION_TABLES}"
            " WHERE r.resource_type = %s AND r.resource_id = %s AND v.version = %s",
            (resource_type, resource_id, version),
        ).fetchone()


def history(
    connection: psycopg.Connection[Any], resource_type: str, resource_id: UUID, *, limit: int, before: int | None = None
) -> list[Found]:
    """Return up to `limit` versions of a resource, latest first, those below version `before` only."""
    with connection.cursor(row_factory=class_row(Found)) as cursor:
        return cursor.execute(
            f"SELECT {VERSION_COLUMNS} FROM {VERSION_TABLES}"
            " WHERE r.resource_type = %s AND r.resource_id = %s AND v.version < %s ORDER BY v.version DESC LIMIT %s",
            (resource_type, resource_id, before or 2**31 - 1, limit),
        ).fetchall()


def compartment(
    connection: psycopg.Connection[Any],
    patient_id: UUID,
    *,
    limit: int,
    before: int | None = None,
    hidden: Sequence[str] = (),
    programmes: Sequence[str] = (),
) -> list[Found]:
    """Return up to `limit` resources about a patient, the Patient among them, those with a key below `before` only.

    Args:
        connection: where to look.
        patient_id: the patient.
        limit: how many at most.
        before: the key below which to look.
        hidden: kinds of sensitive records to leave out.
        programmes: those whose own records are shown all the same.
    """
    with connection.cursor(row_factory=class_row(Found)) as cursor:
        return cursor.execute(
            f"SELECT {FOUND_COLUMNS} FROM {FOUND_TABLES} WHERE NOT r.deleted"
            f" AND r.patient_id = %(patient)s AND {_OPEN} AND r.resource_key < %(before)s"
            " ORDER BY r.resource_key DESC LIMIT %(limit)s",
            {
                "patient": patient_id,
                "hidden": list(hidden),
                "programmes": list(programmes),
                "before": before or 2**63 - 1,
                "limit": limit,
            },
        ).fetchall()


def referred_to(
    connection: psycopg.Connection[Any],
    patient_id: UUID,
    *,
    limit: int,
    before: int | None = None,
    hidden: Sequence[str] = (),
    programmes: Sequence[str] = (),
) -> list[Found]:
    """Return up to `limit` resources of `SHARED_TYPES` that a patient's resources refer to, likewise by key.

    References are read from the stored text, so that one which no search parameter indexes is followed too. What is
    about a patient is never among them: another patient's device stays that patient's.
    """
    about = {"patient": patient_id, "hidden": list(hidden), "programmes": list(programmes)}
    targets = _targets(connection, f"NOT r.deleted AND r.patient_id = %(patient)s AND {_OPEN}", about)
    with connection.cursor(row_factory=class_row(Found)) as cursor:
        return cursor.execute(
            f"SELECT {FOUND_COLUMNS} FROM {FOUND_TABLES}"
            " JOIN unnest(%(types)s::text[], %(ids)s::uuid[]) AS target (resource_type, resource_id)"
            " ON target.resource_type = r.resource_type AND target.resource_id = r.resource_id"
            " WHERE NOT r.deleted AND r.patient_id IS NULL AND r.resource_key < %(before)s"
            " ORDER BY r.resource_key DESC LIMIT %(limit)s",
            {
                "types": [kind for kind, _ in targets],
                "ids": [resource_id for _, resource_id in targets],
                "before": before or 2**63 - 1,
                "limit": limit,
            },
        ).fetchall()


def _targets(connection: psycopg.Connection[Any], condition: str, values: Mapping[str, object]) -> set[tuple[str, str]]:
    """Return type and id of what resources refer to that is of `SHARED_TYPES`."""
    bodies = connection.execute(
        f"SELECT v.resource_type, v.resource_id, v.body FROM {FOUND_TABLES} WHERE {condition}".encode(), values
    )
    texts = (unpack(packed, *key).decode() for *key, packed in bodies)
    return {found for text in texts for found in _SHARED_REFERENCE.findall(text)}


@dataclass(frozen=True, slots=True)
class Membership:
    """One patient record of one person, as stored."""

    person_id: UUID
    patient_id: UUID
    source: str
    location: str | None
    sensitivity: str | None
    packed: bytes

    @property
    def body(self) -> str:
        """Return the JSON text, unpacked only for whoever looks at it."""
        return unpack(self.packed, "Patient", self.patient_id).decode()


_MEMBERS = (
    "SELECT m.person_id, m.patient_id, r.source, r.location, r.sensitivity, v.body AS packed FROM person_member m"
    " JOIN resource r ON r.resource_type = 'Patient' AND r.resource_id = m.patient_id AND NOT r.deleted"
    " JOIN resource_version v ON v.batch_key = r.batch_key AND v.ordinal = r.ordinal WHERE m.valid_to IS NULL"
)


def members(
    connection: psycopg.Connection[Any], person_ids: Sequence[UUID], *, scope: Scope | None = None
) -> list[Membership]:
    """Return the patient records that are, as far as we know now, these persons, fullest record of each last.

    Args:
        connection: where to look.
        person_ids: the persons.
        scope: what may be seen; everything when nobody in particular asks.
    """
    text, values = ("true", {}) if scope is None else condition(scope)
    with connection.cursor(row_factory=class_row(Membership)) as cursor:
        return cursor.execute(
            f"{_MEMBERS} AND m.person_id = ANY(%(persons)s) AND {text}"
            " ORDER BY m.person_id, r.authority, r.event_at NULLS FIRST, r.resource_key",
            {**values, "persons": list(person_ids)},
        ).fetchall()


def surviving_person(connection: psycopg.Connection[Any], person_id: UUID) -> UUID | None:
    """Return the person somebody is now, following merges."""
    row = connection.execute(
        "WITH RECURSIVE chain AS (SELECT person_id, merged_into FROM person WHERE person_id = %s"
        " UNION SELECT p.person_id, p.merged_into FROM person p JOIN chain c ON p.person_id = c.merged_into)"
        " SELECT person_id FROM chain WHERE merged_into IS NULL",
        (person_id,),
    ).fetchone()
    return None if row is None else row[0]


def persons_of(connection: psycopg.Connection[Any], patient_ids: Sequence[UUID], *, limit: int) -> list[UUID]:
    """Return the persons that patients are, latest known first."""
    rows = connection.execute(
        "SELECT DISTINCT person_id FROM person_member WHERE valid_to IS NULL AND patient_id = ANY(%s)"
        " ORDER BY person_id DESC LIMIT %s",
        (list(patient_ids), limit),
    ).fetchall()
    return [row[0] for row in rows]


@dataclass(frozen=True, slots=True)
class ChartEntry(_Stored):
    """One resource of a chart with where it came from."""

    resource_type: str
    resource_id: UUID
    version: int
    source: str
    location: str | None
    event_at: datetime | None
    recorded_at: datetime
    message_id: UUID | None
    feed: str | None
    received_at: datetime | None
    packed: bytes


def chart(
    connection: psycopg.Connection[Any],
    patient_ids: Sequence[UUID],
    *,
    limit: int,
    hidden: Sequence[tuple[UUID, str]] = (),
    programmes: Sequence[str] = (),
) -> list[ChartEntry]:
    """Return up to `limit` current resources about these patients, each with the message that said it.

    Args:
        connection: where to look.
        patient_ids: the patients.
        limit: how many at most.
        hidden: whose sensitive records of which kind to leave out.
        programmes: those whose own records are shown all the same.
    """
    with connection.cursor(row_factory=class_row(ChartEntry)) as cursor:
        return cursor.execute(
            "SELECT r.resource_type, r.resource_id, r.version, r.source, r.location, r.event_at, r.recorded_at,"
            f" r.message_id, m.feed, m.received_at, v.body AS packed FROM {FOUND_TABLES}"
            " LEFT JOIN message m ON m.message_id = r.message_id"
            " WHERE NOT r.deleted AND r.patient_id = ANY(%(patients)s) AND NOT (r.sensitivity IS NOT NULL"
            " AND (r.patient_id, r.sensitivity) IN (SELECT * FROM unnest(%(whose)s::uuid[], %(kinds)s::text[]))"
            f" AND NOT {OF_PROGRAMMES})"
            " ORDER BY coalesce(r.event_at, r.recorded_at) DESC, r.resource_key DESC LIMIT %(limit)s",
            {
                "patients": list(patient_ids),
                "whose": [patient for patient, _ in hidden],
                "kinds": [kind for _, kind in hidden],
                "programmes": list(programmes),
                "limit": limit,
            },
        ).fetchall()
