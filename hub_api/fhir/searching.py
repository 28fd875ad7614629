"""Searching one resource type, by address or by form, page after page (R4 section 3.1.1)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, urlencode

from starlette.exceptions import HTTPException

from ehr_pm.record import search
from ehr_pm.record.searching.including import included
from ehr_pm.record.searching.sorting import Place
from hub_api.fhir import bundles
from hub_api.fhir.cursor import Cursor
from hub_api.fhir.exchange import base_of, fhir_response, is_strict, put_on_record, require_json, type_of
from hub_api.fhir.outcome import issue, outcome
from hub_api.fhir.parameters import Request as SearchRequest
from hub_api.fhir.parameters import read_request
from hub_api.security.caller import caller_of
from hub_api.security.permission import scope
from hub_api.security.policy import actions_for
from hub_api.services import services_of
from hub_core.errors import UnreadableError
from hub_core.fhir.canonical import dumps, load_object
from hub_core.fhir.summaries import subset, summary

if TYPE_CHECKING:
    import psycopg
    from starlette.requests import Request
    from starlette.responses import Response

    from ehr_pm.record.queries import Found
    from ehr_pm.record.searching.criteria import Reach
    from hub_core.access import Scope

_MAX_FIELDS: Final = 200
_MOST_INCLUDED: Final = 1000
"""Resources shown beside the matches of one page."""


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
    after = None
    if text := dict(given).get("_cursor"):
        cursor = services.cursors.open(text, principal.principal_id, resource_type)
        given, after = list(cursor.parameters), Place(cursor.before, cursor.values)
    wanted = read_request(resource_type, given, base=base, strict=is_strict(request))
    answer = await services.read(partial(_look, wanted=wanted, after=after, reach=partial(_reach, request)))
    await put_on_record(request, "resource.search", resource_type, [*answer.matches, *answer.included])
    links = {"self": f"{base}/{resource_type}" + (f"?{urlencode(wanted.used)}" if wanted.used else "")}
    if answer.end is not None:
        following = Cursor(resource_type, wanted.used, answer.end.resource_key, values=answer.end.values)
        links["next"] = f"{base}/{resource_type}?_cursor={services.cursors.seal(following, principal.principal_id)}"
    return fhir_response(bundles.bundle("searchset", _entries(base, answer, wanted), links, answer.total))


@dataclass(frozen=True, slots=True)
class _Answer:
    """What was found for one page."""

    matches: list[Found]
    end: Place | None
    total: int | None
    included: list[Found]
    is_cut: bool = False
    """Whether more belongs beside the matches than is shown."""


def _reach(request: Request, resource_type: str) -> Scope:
    return scope(request, *actions_for(resource_type))


def _look(connection: psycopg.Connection[Any], *, wanted: SearchRequest, after: Place | None, reach: Reach) -> _Answer:
    is_counted = wanted.wants_total or wanted.is_counted_only
    total = search.count(connection, wanted.search, reach=reach) if is_counted else None
    if wanted.is_counted_only:
        return _Answer([], None, total, [])
    page = search.page(connection, wanted.search, limit=wanted.count, after=after, reach=reach)
    beside = included(connection, page.found, wanted.includes, reach=reach, limit=_MOST_INCLUDED + 1)
    return _Answer(page.found, page.end, total, beside[:_MOST_INCLUDED], len(beside) > _MOST_INCLUDED)


def _entries(base: str, answer: _Answer, wanted: SearchRequest) -> list[bytes]:
    entries = [bundles.search_entry(base, found, body=_body(found, wanted)) for found in answer.matches]
    entries += [bundles.search_entry(base, found, "include", _body(found, wanted)) for found in answer.included]
    issues = [
        issue("warning", "not-supported", f"{name} was passed over: it is not a search parameter here")
        for name in wanted.ignored
    ]
    if answer.is_cut:
        text = f"more than {_MOST_INCLUDED} resources belong beside these matches: the rest is not shown"
        issues.append(issue("warning", "too-costly", text))
    return [*entries, bundles.outcome_entry(outcome(*issues))] if issues else entries


def _body(found: Found, wanted: SearchRequest) -> str | None:
    """Return what is shown of a resource, where that is not all of it."""
    if wanted.elements and found.resource_type == wanted.search.resource_type:
        return dumps(subset(load_object(found.body), wanted.elements)).decode()
    match wanted.summary:
        case "true" | "text" | "data" as part:
            return dumps(summary(load_object(found.body), part)).decode()
        case _:
            return None
