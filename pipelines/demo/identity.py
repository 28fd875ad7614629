"""Who is who: what equal identifiers give, found without any code of the product, and how near that is to the truth."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from math import comb
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import duckdb

_RECORDS = """
SELECT DISTINCT
    registrations.source || '|' || CASE
        WHEN members.value IS NULL THEN registrations.mrn
        WHEN contains(members.value, '|') THEN lower(members.assigner || '|' || members.value)
        ELSE lower(concat_ws('|', members.assigner, members.value, registrations.given, registrations.birth_date))
    END,
    registrations.registration_id,
    registrations.person_id,
    registrations.site,
    registrations.birth_date
FROM registrations
LEFT JOIN identifiers AS members
    ON registrations.registration_id = members.registration_id AND members.kind = 'MEMBER'
WHERE registrations.site <> 'pediatrics' OR members.value IS NOT NULL
"""
"""Patient records as they arrive: where a payer's member number names them, each number is a record."""

_LINKS = """
SELECT registration_id, kind || '|' || assigner || '|' || value FROM identifiers
UNION ALL
SELECT merged_into, 'merged|' || registration_id FROM registrations WHERE merged_into <> ''
UNION ALL
SELECT registration_id, 'merged|' || registration_id FROM registrations WHERE merged_into <> ''
"""


class _Record(NamedTuple):
    """A patient record as it arrives."""

    key: str
    registration: str
    person: str
    site: str
    birth_date: date


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far the persons of the warehouse are those of the truth, pair of patient records by pair."""

    precision: float
    """Of the pairs held to be one person, how many are."""
    recall: float
    """Of the pairs that are one person, how many are held to be."""
    review: int
    """Pairs left to people to decide."""


def keep_known_persons(truth: duckdb.DuckDBPyConnection) -> None:
    """Write the table `known_persons`: each patient record, and the person that equal identifiers and merges give."""
    records = truth.execute(_RECORDS).fetchall()
    persons = _joined(truth.execute(_LINKS).fetchall(), (record.registration for record in map(_Record._make, records)))
    truth.execute(
        "CREATE TABLE known_persons (record_key VARCHAR, person_key VARCHAR, true_person VARCHAR, location VARCHAR,"
        " birth_date DATE)"
    )
    rows = {
        record.key: (record.key, persons[record.registration], record.person, record.site, record.birth_date)
        for record in map(_Record._make, records)
    }
    if rows:
        truth.executemany("INSERT INTO known_persons VALUES (?, ?, ?, ?, ?)", list(rows.values()))


def agreement(true_persons: dict[str, str], held_persons: dict[str, str]) -> Agreement:
    """Return how far two assignments of patient records to persons agree, over the records that both name."""
    both = true_persons.keys() & held_persons.keys()
    is_one = _pairs(true_persons[key] for key in both)
    is_held = _pairs(held_persons[key] for key in both)
    right = _pairs((true_persons[key], held_persons[key]) for key in both)
    return Agreement(
        precision=round(right / is_held, 6) if is_held else 1.0,
        recall=round(right / is_one, 6) if is_one else 1.0,
        review=0,
    )


def _pairs(labels: Iterable[object]) -> int:
    return sum(comb(count, 2) for count in Counter(labels).values())


def _joined(links: Iterable[tuple[str, str]], records: Iterable[str]) -> dict[str, str]:
    """Return each record's group: records that share a link, directly or over others, are one."""
    parents: dict[str, str] = {}

    def root(name: str) -> str:
        parents.setdefault(name, name)
        while parents[name] != name:
            parents[name] = parents[parents[name]]
            name = parents[name]
        return name

    sharing: dict[str, list[str]] = defaultdict(list)
    for record, link in links:
        sharing[link].append(record)
    for first, *others in sharing.values():
        for other in others:
            parents[root(other)] = root(first)
    return {record: root(record) for record in records}
