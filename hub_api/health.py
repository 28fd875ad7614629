"""Whether the hub is well: alive, and ready to be asked. Says nothing about any patient."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import psycopg
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DBAPIError

from hub_api.services import services_of
from hub_core.errors import DatabaseUnavailableError

if TYPE_CHECKING:
    from hub_core.fhir.canonical import Json

router = APIRouter()

_LATE_SECONDS: Final = 60.0
"""Age of an unsealed change from which the change log counts as stuck; it is sealed ten times a second."""


@router.get("/health")
async def live() -> JSONResponse:
    """Say that the process answers."""
    return JSONResponse({"status": "pass"})


@router.get("/health/ready")
async def ready(request: Request) -> JSONResponse:
    """Say whether the database answers, what waits to be applied, and whether the change log keeps up."""
    try:
        state = await services_of(request).query(_look)
    except (DatabaseUnavailableError, DBAPIError, psycopg.Error):
        return JSONResponse({"status": "fail", "database": "away"}, 503)
    is_late = state["unsealed_seconds"] > _LATE_SECONDS
    return JSONResponse({"status": "warn" if is_late else "pass", "database": "answers", **state})


def _look(connection: psycopg.Connection[Any]) -> Json:
    row = connection.execute(
        "SELECT (SELECT count(*) FROM message WHERE state = 'received'),"
        " (SELECT coalesce(extract(epoch FROM clock_timestamp() - min(received_at)), 0) FROM message"
        "  WHERE state = 'received'),"
        " (SELECT count(*) FROM change_batch WHERE first_seq IS NULL),"
        " (SELECT coalesce(extract(epoch FROM clock_timestamp() - min(v.recorded_at)), 0) FROM change_batch b"
        "  JOIN resource_version v ON v.batch_key = b.batch_key AND v.ordinal = 0 WHERE b.first_seq IS NULL)"
    ).fetchone()
    waiting, oldest, unsealed, late = row or (0, 0, 0, 0)
    return {
        "waiting_messages": waiting,
        "oldest_waiting_seconds": float(oldest),
        "unsealed_batches": unsealed,
        "unsealed_seconds": float(late),
    }
