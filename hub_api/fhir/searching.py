"""Searching one resource type, by address or by form, page after page (R4 section 3.1.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

from starlette.exceptions import HTTPException

from ehr_pm.record import search
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

if TYPE_CHECKING:
    import psycopg
    from starlette.requests import Request
    from starlette.responses import Response

    from ehr_pm.record.queries import Found

_MAX_FIELDS = 200


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
    before = None
    if text := dict(given).get("_cursor"):
        cursor = services.cursors.open(text, principal.principal_id, resource_type)
        given, before = list(cursor.parameters), cursor.before
    wanted = read_request(resource_type, given, base=base, strict=is_strict(request))

    allowed = scope(request, *actions_for(resource_type))

    def run(connection: psycopg.Connection[Any]) -> tuple[list[Found], int | None]:
        total = (
            search.count(connection, wanted.search, scope=allowed) if wanted.wants_total or not wanted.count else None
        )
        if not wanted.count:
            return [], total
        return search.find(connection, wanted.search, limit=wanted.count + 1, before=before, scope=allowed), total

    matches, total = await services.read(run)
    shown = matches[: wanted.count]
    await put_on_record(request, "resource.search", resource_type, shown)
    links = {"self": f"{base}/{resource_type}" + (f"?{urlencode(wanted.used)}" if wanted.used else "")}
    if len(matches) > wanted.count:
        following = Cursor(resource_type, wanted.used, shown[-1].resource_key)
        links["next"] = f"{base}/{resource_type}?_cursor={services.cursors.seal(following, principal.principal_id)}"
    return fhir_response(bundles.bundle("searchset", _entries(base, shown, wanted), links, total))


def _entries(base: str, shown: list[Found], wanted: SearchRequest) -> list[bytes]:
    entries = [bundles.search_entry(base, found) for found in shown]
    if wanted.ignored:
        text = "was passed over: it is not a search parameter here"
        issues = [issue("warning", "not-supported", f"{name} {text}") for name in wanted.ignored]
        entries.append(bundles.outcome_entry(outcome(*issues)))
    return entries
