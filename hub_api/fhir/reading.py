"""Reading one resource: as it is now, as it was, and how it came to be (R4 sections 3.1.0.2, 3.1.0.4, 3.1.0.8)."""

from __future__ import annotations

from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

from starlette.exceptions import HTTPException
from starlette.responses import Response

from ehr_pm.record import envelopes, queries
from hub_api.fhir import bundles, provenance
from hub_api.fhir.cursor import Cursor
from hub_api.fhir.exchange import (
    as_number,
    base_of,
    closed_versions,
    fhir_response,
    id_of,
    permitted,
    put_on_record,
    require_json,
    type_of,
)
from hub_api.fhir.parameters import DEFAULT_COUNT, read_count
from hub_api.security.caller import caller_of
from hub_api.services import services_of
from hub_core.errors import NotFoundError

if TYPE_CHECKING:
    import psycopg
    from starlette.requests import Request

    from ehr_pm.record.envelopes import Envelope, Version
    from ehr_pm.record.queries import Found
    from hub_api.fhir.bundles import Shown
    from hub_api.fhir.provenance import Made


async def read(request: Request) -> Response:
    """Answer a resource as it is now."""
    require_json(request)
    if (made := provenance.named(request)) is not None:
        return _resource(request, await _made(request, made, "resource.read"))
    resource_type, resource_id = type_of(request), id_of(request)
    caller = caller_of(request)

    def look(connection: psycopg.Connection[Any]) -> Found | None:
        found = queries.read(connection, resource_type, resource_id)
        permitted(connection, caller, [found] if found else [])
        return found

    found = await services_of(request).read(look)
    await put_on_record(request, "resource.read", resource_type, [found] if found else [], resource_id=resource_id)
    return _resource(request, found)


async def read_version(request: Request) -> Response:
    """Answer a resource as it was in one version."""
    require_json(request)
    version = request.path_params["version"]
    if (made := provenance.named(request)) is not None and version == "1":
        return _resource(request, await _made(request, made, "resource.read"))
    resource_type, resource_id = type_of(request), id_of(request)
    if not (version.isascii() and version.isdigit() and len(version) < 10):
        raise NotFoundError("no such version")
    caller = caller_of(request)

    def look(connection: psycopg.Connection[Any]) -> Found | None:
        found = queries.read_version(connection, resource_type, resource_id, int(version))
        permitted(connection, caller, [found] if found else [])
        return found

    found = await services_of(request).read(look)
    await put_on_record(request, "resource.read", resource_type, [found] if found else [], resource_id=resource_id)
    return _resource(request, found)


async def read_history(request: Request) -> Response:
    """Answer the versions of a resource, latest first."""
    require_json(request)
    services, caller = services_of(request), caller_of(request)
    if (made := provenance.named(request)) is not None:
        only, base = await _made(request, made, "resource.history"), base_of(request, services.settings)
        links = {"self": f"{base}/{only.resource_type}/{only.resource_id}/_history"}
        return fhir_response(bundles.bundle("history", [bundles.history_entry(base, only)], links))
    resource_type, resource_id = type_of(request), id_of(request)
    path = f"{resource_type}/{resource_id}/_history"
    count = read_count(request.query_params.get("_count", str(DEFAULT_COUNT))) or DEFAULT_COUNT
    before = None
    if text := request.query_params.get("_cursor"):
        cursor = services.cursors.open(text, caller.principal.principal_id, path)
        before, count = cursor.before, as_number(dict(cursor.parameters)["_count"], "_cursor")

    def look(connection: psycopg.Connection[Any]) -> tuple[list[Found], set[int]]:
        current = queries.read(connection, resource_type, resource_id)
        permitted(connection, caller, [current] if current else [])
        versions = queries.history(connection, resource_type, resource_id, limit=count + 1, before=before)
        return versions, closed_versions(connection, caller, versions)

    versions, closed = await services.read(look)
    page = versions[:count]
    shown = [each for each in page if each.version not in closed]
    await put_on_record(request, "resource.history", resource_type, shown, resource_id=resource_id)
    if not versions and before is None:
        raise NotFoundError("no such resource")
    base = base_of(request, services.settings)
    links = {"self": f"{base}/{path}?_count={count}"}
    if len(versions) > count:
        following = Cursor(path, (("_count", str(count)),), page[-1].version)
        links["next"] = f"{base}/{path}?_cursor={services.cursors.seal(following, caller.principal.principal_id)}"
    return fhir_response(bundles.bundle("history", (bundles.history_entry(base, each) for each in shown), links))


async def _made(request: Request, version: Version, action: str) -> Made:
    """Return the Provenance of a version for who may read that; it is as sensitive, and of the same patient."""
    caller = caller_of(request)

    def look(connection: psycopg.Connection[Any]) -> Envelope | None:
        found = envelopes.read(connection, *version)
        permitted(connection, caller, [found] if found else [])
        return found

    found = await services_of(request).read(look)
    shown = [] if found is None else [provenance.made(found)]
    await put_on_record(request, action, provenance.PROVENANCE, shown, resource_id=request.path_params["resource_id"])
    if not shown:
        raise NotFoundError("no such resource")
    return shown[0]


def _resource(request: Request, found: Shown | None) -> Response:
    if found is None:
        raise NotFoundError("no such resource")
    if found.deleted:
        raise HTTPException(410, "this resource was deleted")
    etag = f'W/"{found.version}"'
    headers = {"ETag": etag, "Last-Modified": format_datetime(found.recorded_at, usegmt=True)}
    known = {tag.strip() for tag in request.headers.get("if-none-match", "").split(",")}
    if etag in known or "*" in known:
        return Response(status_code=304, headers=headers)
    return fhir_response(found.body.encode(), headers)
