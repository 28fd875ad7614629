"""The application: every route behind one guard, on services opened with it and closed with it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio.to_thread
import psycopg
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DataError
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import Response

from hub_api import health
from hub_api.admin import tokens
from hub_api.fhir.outcome import FHIR_JSON, outcome_of, refusal
from hub_api.fhir.routes import fhir_base, fhir_mount
from hub_api.ingest import over_http
from hub_api.ingest.listeners import listening
from hub_api.login import oidc, welcome
from hub_api.login import routes as login
from hub_api.practice import (
    appointments,
    charts,
    coverage,
    disclosures,
    emergencies,
    feeds,
    identities,
    marts,
    organisation,
    ownership,
    patients,
    people,
    portal,
    programs,
    schedule,
    sensitivity,
    users,
)
from hub_api.security.boundary import Boundary
from hub_api.security.guard import Guard, guarded
from hub_api.security.headers import SecurityHeaders
from hub_api.security.permission import RefusedError, record_refusal
from hub_api.services import open_services
from hub_api.workspace import pages as workspace_pages
from hub_api.workspace import routes as workspace
from hub_core.errors import AccessDeniedError, WholechartError
from hub_core.fhir.canonical import dumps
from hub_core.settings import Settings


def create_app(settings: Settings | None = None) -> FastAPI:
    """Return the application of one installation; without settings, of the one the environment describes."""
    chosen = settings or Settings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        services = await anyio.to_thread.run_sync(open_services, chosen)
        app.state.services = services
        try:
            async with listening(services):
                yield
        finally:
            await anyio.to_thread.run_sync(services.close)

    app = FastAPI(
        title="Wholechart",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
        middleware=[
            Middleware(SecurityHeaders),
            Middleware(Boundary, message_bytes=chosen.max_record_bytes),
            Middleware(Guard),
        ],
        exception_handlers={
            AccessDeniedError: _explain_refusal,
            WholechartError: _explain_error,
            HTTPException: _explain_status,
            RequestValidationError: _explain_fields,
            psycopg.DataError: _explain_value,
            DataError: _explain_value,
        },
    )
    # Side by side in one list, so that what is there can be listed, and tested, route by route; the busiest first.
    app.router.routes.extend((fhir_base, fhir_mount))
    records = (people, charts, feeds, marts)
    practice = (
        patients,
        coverage,
        schedule,
        appointments,
        organisation,
        ownership,
        users,
        identities,
        programs,
        portal,
        emergencies,
        sensitivity,
        disclosures,
    )
    for part in (login, oidc, welcome, health, *records, *practice, tokens, over_http, workspace):
        app.router.routes.extend(part.router.routes)
    app.router.routes[:] = guarded(app.router.routes)
    return app


async def _explain_refusal(request: Request, error: Exception) -> Response:
    """Answer somebody who may not do this, once it is on record; and say when an emergency would open it."""
    assert isinstance(error, AccessDeniedError)  # noqa: S101 - registered for it
    await record_refusal(request, 403, error)
    if isinstance(error, RefusedError) and request.url.path.startswith(("/work", "/my")):
        return workspace_pages.refusal_page(error)
    if isinstance(error, RefusedError) and error.is_breakable:
        return refusal(403, f"{error}; in an emergency you may break the glass", headers={"X-Break-Glass": "possible"})
    return refusal(403, str(error))


async def _explain_error(_: Request, error: Exception) -> Response:
    """Answer an error raised on purpose; its text is safe to show."""
    assert isinstance(error, WholechartError)  # noqa: S101 - registered for it
    status, told = outcome_of(error)
    return Response(dumps(told), status, media_type=FHIR_JSON)


async def _explain_status(_: Request, error: Exception) -> Response:
    """Answer a bare HTTP status."""
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for it
    return refusal(error.status_code, error.detail, headers=error.headers)


async def _explain_fields(_: Request, error: Exception) -> Response:
    """Answer a request whose fields are wrong: which and why, never what was in them."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for it
    wrong = "; ".join(f"{'.'.join(map(str, each['loc'][1:]))}: {each['msg']}" for each in error.errors())
    return refusal(422, wrong or "the request cannot be read")


async def _explain_value(_: Request, __: Exception) -> Response:
    """Answer a value that no database text or number can be, such as a NUL character."""
    return refusal(400, "a value holds what cannot be stored or compared", code="value")
