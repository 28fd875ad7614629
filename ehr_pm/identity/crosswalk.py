"""The crosswalk: which person each patient record belongs to, kept as state and never computed anew.

First cut: records that share a linking identifier, that a source has merged, or that claims of one account and the
answers to them name, are one person; every other record is a person of its own. A person's id survives for ever: where
persons meet, the oldest id stays and the others point to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

import orjson

from ehr_pm.identity import claims
from ehr_pm.identity.grouping import Groups
from ehr_pm.identity.identifiers import linking_identifiers
from hub_core.fhir.canonical import Json
from hub_core.fhir.ids import new_id

if TYPE_CHECKING:
    import psycopg

_IDENTIFIER_LOCKS = 0x1DE4
"""First key of the advisory locks that stand for identifiers being linked."""


_LOCK = """
SELECT pg_advisory_xact_lock(%s, lock) FROM
    (SELECT DISTINCT hashtext(name) AS lock FROM json_array_elements_text(%s::json) AS name ORDER BY lock) AS locks
"""
# Lists are unnested in a SELECT: in a plan for any values, `= ANY` would read the list anew for every row it filters.
# One statement sees what was before it: of two patients that are told together, the teller knows what they share.
_KEEP_IDENTIFIERS = """
WITH told AS (
    SELECT * FROM json_to_recordset(%(told)s::json) AS told (system text, value text, patient_id uuid)
), gone AS (
    DELETE FROM patient_identifier WHERE patient_id IN (SELECT unnest(string_to_array(%(patients)s, ' ')::uuid[]))
    AND (system, value, patient_id) NOT IN (SELECT system, value, patient_id FROM told)
), kept AS (
    INSERT INTO patient_identifier (system, value, patient_id) SELECT system, value, patient_id FROM told
    ON CONFLICT DO NOTHING
)
SELECT DISTINCT told.patient_id::text, other.patient_id::text
FROM told JOIN patient_identifier other USING (system, value)
WHERE other.patient_id NOT IN (SELECT unnest(string_to_array(%(patients)s, ' ')::uuid[]))
"""
_PLACE = """
WITH born AS (
    INSERT INTO person (person_id) SELECT unnest(string_to_array(%s, ' ')::uuid[])
)
INSERT INTO person_member (patient_id, person_id, reason)
SELECT * FROM json_to_recordset(%s::json) AS placed (patient_id uuid, person_id uuid, reason text)
"""


class Membership(NamedTuple):
    """One patient record's person, since when."""

    patient_id: UUID
    person_id: UUID
    valid_from: datetime


def current(connection: psycopg.Connection[Any]) -> Iterator[Membership]:
    """Yield every patient record's present person."""
    rows = connection.execute(
        "SELECT patient_id, person_id, valid_from FROM person_member WHERE valid_to IS NULL ORDER BY patient_id"
    )
    yield from map(Membership._make, rows)


def observe(connection: psycopg.Connection[Any], resources: Sequence[Json]) -> None:
    """Place the patients that `resources` speak of (current versions, in the record already) with their persons."""
    identifiers = {r["id"]: sorted(set(linking_identifiers(r))) for r in resources if r["resourceType"] == "Patient"}
    merges = [pair for r in resources for pair in (*merged_pairs(r), *replaced_pairs(r))]
    numbers = claims.account_numbers(resources)
    if not identifiers and not merges and not numbers:
        return
    shared = [f"{system}\x1f{value}" for pairs in identifiers.values() for system, value in pairs]
    _lock(connection, [*shared, *(f"account\x1f{number}" for number in numbers.values())])
    sharing = _keep_identifiers(connection, identifiers)
    billed = claims.one_person(connection, list(numbers)) if numbers else []
    groups = Groups([*identifiers, *chain.from_iterable((*merges, *billed))])
    for patient, other in (*sharing, *merges, *billed):
        groups.join(patient, other)
    reasons = dict.fromkeys(chain.from_iterable(billed), "same claim")
    _settle(connection, groups, reasons | dict.fromkeys(chain.from_iterable(merges), "merged by the source"))


def companions(connection: psycopg.Connection[Any], patients: Sequence[UUID]) -> dict[str, str]:
    """Return every patient record of the persons these belong to, with its person: what a merge may have to undo."""
    rows = connection.execute(
        "SELECT patient_id::text, person_id::text FROM person_member WHERE valid_to IS NULL AND person_id IN"
        " (SELECT person_id FROM person_member WHERE patient_id = ANY(%s) AND valid_to IS NULL)",
        (list(patients),),
    )
    return dict(rows.fetchall())


def part(connection: psycopg.Connection[Any], before: dict[str, str]) -> None:
    """Give patient records back the persons they had before a merge that is taken back.

    Whoever joined one of the persons since then stays where they are.
    """
    now_with = _hold_persons(connection, list(before))
    moved = [(patient, person) for patient, person in before.items() if str(now_with.get(patient)) != person]
    patients, persons = [patient for patient, _ in moved], [person for _, person in moved]
    connection.execute("UPDATE person SET merged_into = NULL WHERE person_id = ANY(%s::uuid[])", (persons,))
    connection.execute(
        "UPDATE person_member SET valid_to = now() WHERE patient_id = ANY(%s::uuid[]) AND valid_to IS NULL", (patients,)
    )
    connection.execute(
        "INSERT INTO person_member (patient_id, person_id, reason)"
        " SELECT patient_id, person_id, 'merge taken back'"
        " FROM unnest(%s::uuid[], %s::uuid[]) AS t (patient_id, person_id)",
        (patients, persons),
    )


def merged_pairs(linkage: Json) -> Iterator[tuple[str, str]]:
    """Yield (surviving, merged) patient ids of a Linkage (R4 section 8.6: one `source` item, its `alternate`s)."""
    if linkage["resourceType"] != "Linkage" or linkage.get("active") is False:
        return
    by_role: dict[str, list[str]] = {}
    items = linkage.get("item")
    for item in items if isinstance(items, list) else []:
        target = item.get("resource") if isinstance(item, dict) else None
        kind, _, patient = str(target.get("reference") if isinstance(target, dict) else "").partition("/")
        if kind == "Patient" and _is_id(patient):
            by_role.setdefault(str(item.get("type")), []).append(patient)
    for survivor in by_role.get("source", []):
        for merged in by_role.get("alternate", []):
            yield survivor, merged


def replaced_pairs(patient: Json) -> Iterator[tuple[str, str]]:
    """Yield (surviving, merged) patient ids that a Patient itself states (R4 section 8.1.10, `Patient.link`)."""
    links = patient.get("link") if patient["resourceType"] == "Patient" else None
    for link in links if isinstance(links, list) else []:
        other = link.get("other") if isinstance(link, dict) else None
        kind, _, named = str(other.get("reference") if isinstance(other, dict) else "").partition("/")
        if kind == "Patient" and _is_id(named):
            if link.get("type") == "replaced-by":
                yield named, patient["id"]
            elif link.get("type") == "replaces":
                yield patient["id"], named


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _lock(connection: psycopg.Connection[Any], names: list[str]) -> None:
    """Let one transaction at a time decide about an identifier; in one order, so that nobody waits in a ring."""
    connection.execute(_LOCK, (_IDENTIFIER_LOCKS, orjson.dumps(names).decode()))


def _keep_identifiers(
    connection: psycopg.Connection[Any], identifiers: dict[str, list[tuple[str, str]]]
) -> list[tuple[str, str]]:
    """Keep what patients are called now, and return pairs of patients who share an identifier."""
    patients_of: dict[tuple[str, str], list[str]] = {}
    for patient, pairs in identifiers.items():
        for pair in pairs:
            patients_of.setdefault(pair, []).append(patient)
    told = [
        {"system": system, "value": value, "patient_id": patient}
        for (system, value), patients in patients_of.items()
        for patient in patients
    ]
    values = {"patients": " ".join(identifiers), "told": orjson.dumps(told).decode()}
    elsewhere = connection.execute(_KEEP_IDENTIFIERS, values).fetchall()
    return [*elsewhere, *((first, other) for first, *others in patients_of.values() for other in others)]


def _settle(connection: psycopg.Connection[Any], groups: Groups, reasons: dict[str, str]) -> None:
    """Give each group one person: the oldest of those its members have, or a new one."""
    persons = _hold_persons(connection, groups.members())
    first_of: dict[UUID, str] = {}
    for patient, person in persons.items():
        groups.join(first_of.setdefault(person, patient), patient)
    born: list[UUID] = []
    placed: list[tuple[str, UUID, str]] = []
    for group in groups:
        known = sorted({persons[patient] for patient in group if patient in persons})
        if not known:
            known = [new_id()]
            born += known
        _retire(connection, survivor=known[0], others=known[1:])
        reason = "equal identifier" if len(group) > 1 else "first seen"
        placed += [(patient, known[0], reasons.get(patient, reason)) for patient in group if patient not in persons]
    _place(connection, born, placed)


def _place(connection: psycopg.Connection[Any], born: list[UUID], placed: list[tuple[str, UUID, str]]) -> None:
    """Write the new persons, and who is placed with which person and why."""
    if placed:
        told = [{"patient_id": patient, "person_id": person, "reason": reason} for patient, person, reason in placed]
        connection.execute(_PLACE, (" ".join(map(str, born)), orjson.dumps(told).decode()))


def _hold_persons(connection: psycopg.Connection[Any], patients: list[str]) -> dict[str, UUID]:
    """Return each patient's person, all of them locked: nobody else adds to or merges them before we commit."""
    held: set[UUID] = set()
    while True:
        persons = dict(
            connection.execute(
                "SELECT patient_id::text, person_id FROM person_member"
                " WHERE patient_id IN (SELECT unnest(string_to_array(%s, ' ')::uuid[])) AND valid_to IS NULL",
                (" ".join(patients),),
            ).fetchall()
        )
        missing = set(persons.values()) - held
        if not missing:
            return persons
        connection.execute(
            "SELECT 1 FROM person WHERE person_id = ANY(%s) ORDER BY person_id FOR UPDATE", (sorted(missing),)
        )
        held |= missing


def _retire(connection: psycopg.Connection[Any], *, survivor: UUID, others: list[UUID]) -> None:
    """Move every member of the other persons to the survivor, keeping when they belonged where."""
    if not others:
        return
    connection.execute("UPDATE person SET merged_into = %s WHERE person_id = ANY(%s)", (survivor, others))
    moved = connection.execute(
        "UPDATE person_member SET valid_to = now() WHERE person_id = ANY(%s) AND valid_to IS NULL RETURNING patient_id",
        (others,),
    ).fetchall()
    connection.execute(
        "INSERT INTO person_member (patient_id, person_id, reason) SELECT unnest(%s::uuid[]), %s, 'persons met'",
        ([row[0] for row in moved], survivor),
    )
