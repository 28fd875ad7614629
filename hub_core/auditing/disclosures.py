"""Accounting of disclosures: to whom a patient's data was given, when, what and why (45 CFR 164.528)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from psycopg.rows import class_row

from hub_core.fhir.ids import new_id

if TYPE_CHECKING:
    import psycopg


@dataclass(frozen=True, slots=True)
class Disclosure:
    """One disclosure, as the patient may ask to see it."""

    disclosed_at: datetime
    patient_id: UUID
    recipient: str
    description: str
    """What was disclosed, in a few words."""
    purpose: str
    recipient_address: str | None = None
    principal_id: UUID | None = None
    location: str | None = None


def record(connection: psycopg.Connection[Any], disclosure: Disclosure) -> UUID:
    """Keep a disclosure in the caller's transaction, and return its id."""
    disclosure_id = new_id()
    connection.execute(
        "INSERT INTO disclosure (disclosure_id, disclosed_at, patient_id, recipient, recipient_address, description,"
        " purpose, principal_id, location) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            disclosure_id,
            disclosure.disclosed_at,
            disclosure.patient_id,
            disclosure.recipient,
            disclosure.recipient_address,
            disclosure.description,
            disclosure.purpose,
            disclosure.principal_id,
            disclosure.location,
        ),
    )
    return disclosure_id


def of_patients(connection: psycopg.Connection[Any], patient_ids: list[UUID], since: datetime) -> Iterator[Disclosure]:
    """Yield the disclosures of a person's records since a moment, oldest first."""
    with connection.cursor(row_factory=class_row(Disclosure)) as cursor:
        yield from cursor.execute(
            "SELECT disclosed_at, patient_id, recipient, description, purpose, recipient_address, principal_id,"
            " location FROM disclosure WHERE patient_id = ANY(%s) AND disclosed_at >= %s ORDER BY disclosed_at",
            (patient_ids, since),
        ).fetchall()
