"""What is shown beside the matches of a search: what they refer to, and what refers to them (R4 section 3.1.1.5.5).

Each type is looked through with what the caller may see of it, before anything is counted: what is hidden neither
appears nor takes a place.
"""
# ruff: noqa: S608 - SQL text is made of this package's own words; every value is bound

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from psycopg.rows import class_row

from ehr_pm.record.queries import FOUND_COLUMNS, FOUND_TABLES, Found
from ehr_pm.record.searching.conditions import PATIENT, Conditions, uuids
from ehr_pm.record.searching.criteria import Include, Reach
from ehr_pm.record.searching.values import Bound
from hub_core.fhir.search_parameters import Kept, parameters_of

if TYPE_CHECKING:
    import psycopg

_Key: TypeAlias = tuple[str, str]

_ROUNDS: Final = 5
"""How often includes that are repeated are applied to what the last round brought."""


def included(
    connection: psycopg.Connection[Any],
    matches: Sequence[Found],
    includes: Sequence[Include],
    *,
    reach: Reach,
    limit: int,
) -> list[Found]:
    """Return what belongs beside matches, each resource once and no match again; at most `limit` of them.

    Args:
        connection: where to look.
        matches: the matches of one page.
        includes: what to show beside them.
        reach: what of each type may be seen.
        limit: how many at most.
    """
    known = {_key(each) for each in matches}
    shown: list[Found] = []
    level = list(matches)
    for number in range(_ROUNDS):
        wanted = [each for each in includes if each.is_repeated or not number]
        brought = {_key(found): found for each in wanted for found in _one(connection, level, each, reach, limit)}
        level = [found for key, found in brought.items() if key not in known]
        known.update(brought)
        shown += level
        if not level or len(shown) >= limit:
            break
    return shown[:limit]


def of_keys(
    connection: psycopg.Connection[Any], keys: Collection[tuple[str, str]], *, reach: Reach, limit: int
) -> list[Found]:
    """Return those of some resources, told by type and id, that may be seen; at most `limit` of each type."""
    found: list[Found] = []
    for resource_type in sorted({kind for kind, _ in keys}):
        ids = uuids(resource_id for kind, resource_id in keys if kind == resource_type)
        found += _of_type(connection, resource_type, ids, reach, limit)
    return found


def _one(
    connection: psycopg.Connection[Any], level: Sequence[Found], include: Include, reach: Reach, limit: int
) -> list[Found]:
    if include.is_reverse:
        wanted = [each for each in level if include.target_type in (None, each.resource_type)]
        return _referring(connection, wanted, include, reach, limit) if wanted else []
    sources = [each for each in level if each.resource_type == include.source_type]
    targets = _targets(connection, sources, include) if sources else set()
    return of_keys(connection, targets, reach=reach, limit=limit)


def _targets(connection: psycopg.Connection[Any], sources: Sequence[Found], include: Include) -> set[_Key]:
    """Return what resources refer to."""
    found: set[_Key] = set()
    known = parameters_of(include.source_type)
    keys = [each.resource_key for each in sources]
    for param in include.params:
        if known[param].is_of_patient:
            found |= {(PATIENT, str(each.patient_id)) for each in sources if each.patient_id is not None}
        for kept in known[param].kept:
            rows = connection.execute(
                "SELECT DISTINCT target_type, target_id FROM search_reference"
                " WHERE resource_key = ANY(%s) AND param = %s AND target_type <> '' AND (%s::text IS NULL OR"
                " target_type = %s)",
                (keys, kept.param, kept.target, kept.target),
            )
            found.update(rows.fetchall())
    return {key for key in found if include.target_type in (None, key[0])}


def _of_type(
    connection: psycopg.Connection[Any], resource_type: str, ids: Sequence[Any], reach: Reach, limit: int
) -> list[Found]:
    bound = Bound()
    where = Conditions(bound, reach).where(resource_type)
    return _found(connection, f"{where} AND r.resource_id = ANY({bound.add(list(ids))})", bound, limit)


def _referring(
    connection: psycopg.Connection[Any], level: Sequence[Found], include: Include, reach: Reach, limit: int
) -> list[Found]:
    """Return what refers to resources by one of the parameters of an include."""
    bound = Bound()
    where = Conditions(bound, reach).where(include.source_type)
    ways = " OR ".join(_ways(level, include, bound))
    return _found(connection, f"{where} AND ({ways or 'false'})", bound, limit)


def _ways(level: Sequence[Found], include: Include, bound: Bound) -> Iterator[str]:
    patients = [each.resource_id for each in level if each.resource_type == PATIENT]
    kinds, ids = bound.add([each.resource_type for each in level]), bound.add([str(each.resource_id) for each in level])
    for param in include.params:
        known = parameters_of(include.source_type)[param]
        if known.is_of_patient and patients:
            yield f"r.patient_id = ANY({bound.add(patients)})"
        for kept in known.kept:
            yield (
                "r.resource_key IN (SELECT s.resource_key FROM search_reference s"
                f" JOIN unnest({kinds}::text[], {ids}::text[]) AS t (target_type, target_id)"
                f" USING (target_type, target_id) WHERE {' AND '.join(_rows(kept, include.source_type, bound))})"
            )


def _rows(kept: Kept, source_type: str, bound: Bound) -> Iterable[str]:
    yield f"s.resource_type = {bound.add(source_type)}"
    yield f"s.param = {bound.add(kept.param)}"
    if kept.target is not None:
        yield f"s.target_type = {bound.add(kept.target)}"


def _found(connection: psycopg.Connection[Any], where: str, bound: Bound, limit: int) -> list[Found]:
    with connection.cursor(row_factory=class_row(Found)) as cursor:
        return cursor.execute(
            f"SELECT {FOUND_COLUMNS} FROM {FOUND_TABLES} WHERE {where}"
            f" ORDER BY r.resource_key DESC LIMIT {bound.add(limit)}",
            bound.values,
        ).fetchall()


def _key(found: Found) -> _Key:
    return found.resource_type, str(found.resource_id)
