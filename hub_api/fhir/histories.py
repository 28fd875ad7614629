"""Histories of a type and of all types: what became of all resources that the caller may see (R4 section 3.1.0.8)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from ehr_pm.record import histories
from ehr_pm.record.histories import Written
from hub_api.fhir import bundles
from hub_api.fhir.cursor import Cursor
from hub_api.fhir.exchange import base_of, fhir_response, put_on_record, require_json, type_of
from hub_api.fhir.parameters import DEFAULT_COUNT, read_count
from hub_api.security.caller import caller_of
from hub_api.security.permission import scope
from hub_api.security.policy import actions_for
from hub_api.services import services_of
from hub_core.access import holds
from hub_core.errors import UnreadableError
from hub_core.fhir.registry import RESOURCE_TYPES
from hub_core.fhir.search_values import interval

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    import psycopg
    from starlette.requests import Request
    from starlette.responses import Response

    from ehr_pm.record.queries import Found


async def read_type_history(request: Request) -> Response:
    """Answer the versions of all resources of a type, latest written first."""
    resource_type = type_of(request)
    return await _history(request, f"{resource_type}/_history", [resource_type])


async def read_system_history(request: Request) -> Response:
    """Answer the versions of all resources of all types that the caller may read, latest written first."""
    access = caller_of(request).access
    readable = [name for name in RESOURCE_TYPES if any(holds(access, each) for each in actions_for(name))]
    return await _history(request, "_history", readable)


async def _history(request: Request, path: str, types: Iterable[str]) -> Response:
    require_json(request)
    services, principal_id = services_of(request), caller_of(request).principal.principal_id
    base, given, before = base_of(request, services.settings), dict(request.query_params), None
    if text := given.get("_cursor"):
        cursor = services.cursors.open(text, principal_id, path)
        given, before = dict(cursor.parameters), Written(cursor.before, int(cursor.values[0] or 0))
    count = read_count(given.get("_count", str(DEFAULT_COUNT))) or DEFAULT_COUNT
    since = _since(given)
    scopes = {name: scope(request, *actions_for(name)) for name in types}

    def look(connection: psycopg.Connection[Any]) -> list[tuple[Found, Written]]:
        return histories.written(connection, scopes, limit=count + 1, since=since, before=before)

    found = await services.read(look)
    shown = [version for version, _ in found[:count]]
    await put_on_record(request, "resource.history", path.rpartition("/")[0] or None, shown)
    since_text = f"&{urlencode({'_since': given['_since']})}" if since is not None else ""
    links = {"self": f"{base}/{path}?_count={count}{since_text}"}
    if len(found) > count:
        last, kept = found[count - 1][1], {"_count": str(count), "_since": given.get("_since", "")}
        following = Cursor(path, tuple(kept.items()), last.batch_key, values=(str(last.ordinal),))
        links["next"] = f"{base}/{path}?_cursor={services.cursors.seal(following, principal_id)}"
    return fhir_response(bundles.bundle("history", (bundles.history_entry(base, each) for each in shown), links))


def _since(given: dict[str, str]) -> datetime | None:
    if "_at" in given or "_list" in given:
        raise UnreadableError("a history is asked for by _since and _count", location="_at", code="not-supported")
    text = given.get("_since", "")
    if not text:
        return None
    span = interval(text.replace(" ", "+"))
    if span is None:
        raise UnreadableError("a moment such as 2026-05-17T10:30:00Z was expected", location="_since", code="value")
    return span[0]
