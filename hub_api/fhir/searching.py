"""Searching one resource type, by address or by form, page after page (R4 section 3.1.1)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, urlencode

from starlette.exceptions import HTTPException

from ehr_pm.record import envelopes, search
from ehr_pm.record.searching.including import included
from ehr_pm.record.searching.sorting import Place
from hub_api.fhir import bundles, provenance_search
from hub_api.fhir.cursor import Cursor
from hub_api.fhir.exchange import base_of, fhir_response, is_strict, put_on_record, require_json, type_of
from hub_api.fhir.outcome import issue, outcome
from hub_api.fhir.parameters import Request as SearchRequest
from hub_api.fhir.parameters import read_request
from hub_api.fhir.provenance import PROVENANCE
from hub_api.security.caller import caller_of
from hub_api.security.permission import scope
from hub_api.security.policy import actions_for
from hub_api.services import services_of
from hub_core.errors import UnreadableError
from hub_core.fhir.canonical import dumps, load_object
from hub_core.fhir.summaries import subset, summary

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import psycopg
    from starlette.requests import Request
    from starlette.responses import Response

    from ehr_pm.record.envelopes import Wanted
    from ehr_pm.record.queries import Found
    from ehr_pm.record.searching.criteria import Reach
    from hub_api.fhir.bundles import Shown
    from hub_api.fhir.provenance import Made
    from hub_core.access import Scope

_MAX_FIELDS: Final = 200
_MOST_INCLUDED: Final = 1000
"""Resources shown beside the matches of one page."""
_MADE: Final = "made"
"""The second part of a search for Provenance: what is made of envelopes, behind what sources sent."""


async def search_by_address(request: Request) -> Response:
    """Answer a search whose parameters stand in the address."""
    return await _search(request, request.query_params.multi_items())


async def search_by_form(request: Request) -> Response:
    """Answer a search whose parameters come in the body, where no log keeps them."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    body = await request.body()
    if body and kind != "application/x-www-form-urlencoded":
        raise HTTPException(415, "search parameters come as application/x-www-form-urlencoded")
    try:
        form = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MAX_FIELDS, errors="strict")
    except ValueError as error:
        raise UnreadableError("the form cannot be read", code="invalid") from error
    return await _search(request, [*request.query_params.multi_items(), *form])


async def _search(request: Request, given: list[tuple[str, str]]) -> Response:
    require_json(request)
    services, principal = services_of(request), caller_of(request).principal
    resource_type, base = type_of(request), base_of(request, services.settings)
    after: _Begin | None = None
    if text := dict(given).get("_cursor"):
        cursor = services.cursors.open(text, principal.principal_id, resource_type)
        given, after = list(cursor.parameters), _Begin(Place(cursor.before, cursor.values), cursor.phase)
    wanted = read_request(resource_type, given, base=base, strict=is_strict(request))
    if is_strict(request) and resource_type == PROVENANCE and provenance_search.wanted(wanted.search) is None:
        raise UnreadableError(provenance_search.UNSUPPORTED, code="not-supported")
    answer = await services.read(partial(_look, wanted=wanted, after=after, reach=partial(_reach, request)))
    await put_on_record(request, "resource.search", resource_type, [*answer.matches, *answer.included])
    links = {"self": f"{base}/{resource_type}" + (f"?{urlencode(wanted.used)}" if wanted.used else "")}
    if answer.end is not None:
        end, phase = answer.end.place, answer.end.phase
        following = Cursor(resource_type, wanted.used, end.resource_key, phase, end.values)
        links["next"] = f"{base}/{resource_type}?_cursor={services.cursors.seal(following, principal.principal_id)}"
    return fhir_response(bundles.bundle("searchset", _entries(base, answer, wanted), links, answer.total))


@dataclass(frozen=True, slots=True)
class _Begin:
    """Where a page begins."""

    place: Place
    phase: str = ""
    """`_MADE`, if what is stored has been shown."""


@dataclass(frozen=True, slots=True)
class _Answer:
    """What was found for one page."""

    matches: Sequence[Shown]
    end: _Begin | None
    total: int | None
    included: Sequence[Shown]
    is_cut: bool = False
    """Whether more belongs beside the matches than is shown."""


def _reach(request: Request, resource_type: str) -> Scope:
    return scope(request, *actions_for(resource_type))


def _look(connection: psycopg.Connection[Any], *, wanted: SearchRequest, after: _Begin | None, reach: Reach) -> _Answer:
    sought = provenance_search.wanted(wanted.search) if wanted.search.resource_type == PROVENANCE else None
    total = _count(connection, wanted, sought, reach) if wanted.wants_total or wanted.is_counted_only else None
    if wanted.is_counted_only:
        return _Answer([], None, total, [])
    stored, end = _stored(connection, wanted, after, reach)
    made: list[Made] = []
    if sought is not None and end is None:
        made, end = _made(connection, sought, wanted.count - len(stored), after, reach)
    limit = _MOST_INCLUDED + 1
    brought = included(connection, stored, wanted.includes, reach=reach, limit=limit)
    brought += provenance_search.targets(connection, made, wanted.includes, reach=reach, limit=limit)
    told = provenance_search.beside(connection, stored, brought, wanted.includes)
    beside = _others(stored, [*brought, *told])
    return _Answer([*stored, *made], end, total, beside[:_MOST_INCLUDED], len(beside) > _MOST_INCLUDED)


def _others(matches: Iterable[Shown], beside: Iterable[Shown]) -> list[Shown]:
    """Return what is beside matches once, and no match again."""
    known = {(each.resource_type, str(each.resource_id)) for each in matches}
    others = {(each.resource_type, str(each.resource_id)): each for each in beside}
    return [each for key, each in others.items() if key not in known]


def _count(connection: psycopg.Connection[Any], wanted: SearchRequest, sought: Wanted | None, reach: Reach) -> int:
    made = 0 if sought is None else envelopes.count(connection, sought, reach=reach)
    return made + search.count(connection, wanted.search, reach=reach)


def _stored(
    connection: psycopg.Connection[Any], wanted: SearchRequest, after: _Begin | None, reach: Reach
) -> tuple[list[Found], _Begin | None]:
    """Return what is stored of a page, and where the next one begins if more of it is."""
    if after is not None and after.phase == _MADE:
        return [], None
    place = None if after is None else after.place
    page = search.page(connection, wanted.search, limit=wanted.count, after=place, reach=reach)
    return page.found, None if page.end is None else _Begin(page.end)


def _made(
    connection: psycopg.Connection[Any], sought: Wanted, room: int, after: _Begin | None, reach: Reach
) -> tuple[list[Made], _Begin | None]:
    """Return the Provenance made of envelopes that a page has room for behind what is stored, and the next place."""
    before = after.place.resource_key if after is not None and after.phase == _MADE else search.ABOVE_ALL
    found = provenance_search.find(connection, sought, limit=room + 1, before=before, reach=reach)
    if len(found) <= room:
        return [each for _, each in found], None
    last = found[room - 1][0] if room else before
    return [each for _, each in found[:room]], _Begin(Place(last), _MADE)


def _entries(base: str, answer: _Answer, wanted: SearchRequest) -> list[bytes]:
    entries = [bundles.search_entry(base, found, body=_body(found, wanted)) for found in answer.matches]
    entries += [bundles.search_entry(base, found, "include", _body(found, wanted)) for found in answer.included]
    issues = [
        issue("warning", "not-supported", f"{name} was passed over: it is not a search parameter here")
        for name in wanted.ignored
    ]
    if wanted.search.resource_type == PROVENANCE and provenance_search.wanted(wanted.search) is None:
        issues.append(issue("warning", "not-supported", provenance_search.UNSUPPORTED))
    if answer.is_cut:
        text = f"more than {_MOST_INCLUDED} resources belong beside these matches: the rest is not shown"
        issues.append(issue("warning", "too-costly", text))
    return [*entries, bundles.outcome_entry(outcome(*issues))] if issues else entries


def _body(found: Shown, wanted: SearchRequest) -> str | None:
    """Return what is shown of a resource, where that is not all of it."""
    if wanted.elements and found.resource_type == wanted.search.resource_type:
        return dumps(subset(load_object(found.body), wanted.elements)).decode()
    match wanted.summary:
        case "true" | "text" | "data" as part:
            return dumps(summary(load_object(found.body), part)).decode()
        case _:
            return None
