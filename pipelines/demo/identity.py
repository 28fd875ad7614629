"""Who is who: what equal identifiers give, found without any code of the product, and how near that is to the truth."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from math import comb
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

_RECORDS = """
CREATE TABLE patient_record AS
SELECT DISTINCT ON (record_key) *
FROM (
    SELECT
        source || '|' || coalesce(number, mrn) AS record_key, registration_id, person_id, site AS location, birth_date,
        '' AS stated
    FROM registrations LEFT JOIN (SELECT subject, number FROM heard WHERE number <> '') ON registration_id = subject
    WHERE site <> 'pediatrics'
    UNION ALL
    SELECT
        lower(concat_ws(
            '|', source, assigner, split_part(value, '|', 1),
            coalesce(nullif(split_part(value, '|', 2), ''), given),
            coalesce(try_cast(split_part(value, '|', 3) AS DATE), birth_date)
        )),
        registration_id, person_id, site,
        coalesce(try_cast(split_part(value, '|', 3) AS DATE), birth_date),
        lower(assigner || '|' || value)
    FROM registrations INNER JOIN identifiers USING (registration_id)
    WHERE kind = 'MEMBER'
)
ORDER BY record_key, registration_id
"""
"""Patient records as they arrive, at northgate under the numbers that the hub gave them.

Pediatrics knows its patients by payers' member numbers: each number is a record.
"""

_LINKS = """
SELECT record_key, kind || '|' || assigner || '|' || value
FROM patient_record INNER JOIN identifiers USING (registration_id) WHERE kind <> 'MEMBER'
UNION ALL
SELECT record_key, 'merged|' || merged.registration_id
FROM registrations AS merged
INNER JOIN patient_record ON patient_record.registration_id IN (merged.registration_id, merged.merged_into)
WHERE merged.merged_into <> '' AND merged.site <> 'pediatrics'
UNION ALL
SELECT DISTINCT record_key, 'account|' || account_number
FROM patient_record INNER JOIN claims ON stated = lower(member)
UNION ALL
SELECT DISTINCT
    record_key,
    concat_ws('|', 'answer', split_part(member, '|', 1), split_part(member, '|', 2), split_part(member, '|', 3))
FROM patient_record INNER JOIN claims ON stated = lower(member)
WHERE is_answered AND split_part(member, '|', 3) <> ''
"""
"""What makes two records one person: an equal identifier, a merge, claims of one account, or answers that name both.

A remittance names a dependent by the family's member number and a first name, without a birth date.
"""

_KNOWN = """
CREATE TABLE known_persons AS
SELECT record_key, person_key, person_id AS true_person, location, birth_date
FROM patient_record INNER JOIN person_of_record USING (record_key)
"""


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
    truth.execute(_RECORDS)
    records = [key for (key,) in truth.execute("SELECT record_key FROM patient_record").fetchall()]
    persons = list(_joined(truth.execute(_LINKS).fetchall(), records).items())
    truth.execute("CREATE TABLE person_of_record (record_key VARCHAR, person_key VARCHAR)")
    if persons:
        truth.executemany("INSERT INTO person_of_record VALUES (?, ?)", persons)
    truth.execute(_KNOWN)


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
