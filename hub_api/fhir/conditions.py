"""Conditions: which resource is meant, said by a search (R4 sections 3.1.0.3, 3.1.0.7.1, 3.1.0.8.1).

A condition is looked for among what the caller may read. What they may not see matches nothing, so that no condition
tells that it is there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl

from ehr_pm.record import search
from ehr_pm.record.searching.criteria import Search
from ehr_pm.stating import lock
from hub_api.fhir.outcome import OutcomeError
from hub_api.fhir.parameters import MAX_PARAMETERS, read_request
from hub_api.fhir.wishes import NOT_YET, Wish
from hub_api.security.permission import RefusedError
from hub_api.security.policy import actions_for
from hub_core.access import Access, Decision, Scope, holds, scope_of
from hub_core.errors import ConflictError, UnreadableError

if TYPE_CHECKING:
    import psycopg

    from ehr_pm.record.queries import Found

_ENOUGH: Final = 2
"""Matches looked for: two are too many already."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A search that one resource at most should match."""

    search: Search


def read_condition(resource_type: str, query: str, base: str) -> Condition:
    """Return the condition that the query of an address is.

    Raises:
        UnreadableError: if it cannot be read, is no condition, or has parts that are not understood.
    """
    try:
        pairs = parse_qsl(query, strict_parsing=True, max_num_fields=MAX_PARAMETERS, errors="strict")
    except ValueError as error:
        raise UnreadableError("a condition is a search, as identifier=system|value", code="invalid") from error
    wanted = read_request(resource_type, pairs, base=base, strict=True)
    if not wanted.search.criteria or len(wanted.search.criteria) != len(wanted.used):
        raise UnreadableError("a condition consists of search parameters", code="invalid")
    return Condition(wanted.search)


def matching(connection: psycopg.Connection[Any], access: Access, condition: Condition) -> Found | None:
    """Return the one resource that matches and may be read; None if none does. It is locked, and matches still.

    Raises:
        RefusedError: for who may read nothing of the type anywhere.
        OutcomeError: 412, if several match.
        ConflictError: if what matched was changed at this moment.
    """
    found = only(connection, access, condition)
    if found is None:
        return None
    lock(connection, [(found.resource_type, str(found.resource_id))])
    again = only(connection, access, condition)
    if again is None or again.resource_id != found.resource_id:
        raise ConflictError("what matches was changed at this moment; try again")
    return again


def only(connection: psycopg.Connection[Any], access: Access, condition: Condition) -> Found | None:
    """Return the one resource that matches and may be read, as it is now; None if none does.

    Raises:
        RefusedError: for who may read nothing of the type anywhere.
        OutcomeError: 412, if several match.
    """
    needed = actions_for(condition.search.resource_type)
    if not any(holds(access, action) for action in needed):
        raise RefusedError(Decision(False, "a condition is for those who may read"), needed[0])
    found = _matches(connection, access, condition)
    if len(found) > 1:
        raise OutcomeError(412, "more than one resource matches this condition", code="multiple-matches")
    return found[0] if found else None


def as_told(wish: Wish, found: Found | None) -> Wish:
    """Return a conditional update or delete as one of what matches, or as a creation where nothing does.

    Raises:
        OutcomeError: if the resource bears another id than what matches.
    """
    named = (wish.resource or {}).get("id")
    if found is not None and named not in (None, str(found.resource_id)):
        raise OutcomeError(400, "what matches has another id", code="invalid", expression=f"{wish.resource_type}.id")
    if found is not None:
        return replace(wish, resource_id=str(found.resource_id))
    if named is not None and wish.if_match is None:
        return replace(wish, resource_id=named, if_match=NOT_YET)
    return wish


def _matches(connection: psycopg.Connection[Any], access: Access, condition: Condition) -> list[Found]:
    return search.page(connection, condition.search, limit=_ENOUGH, reach=partial(_reach, access)).found


def _reach(access: Access, resource_type: str) -> Scope:
    return scope_of(access, *actions_for(resource_type))
