"""Bare reading: a Starlette route that answers bytes from memory, and one that asks PostgreSQL for them.

Nobody is asked who they are, and nothing is put on record. `python -m benchmarks.baselines.bare_reader PORT`, the
database in `BARE_DATABASE`.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator
from typing import Any

import psycopg
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ehr_pm.record.bodies import unpack

_CONNECTIONS = 8
_FHIR_JSON = "application/fhir+json"
_EVERY = """
SELECT r.resource_id::text, v.body FROM resource r JOIN resource_version v USING (batch_key, ordinal)
WHERE r.resource_type = 'Patient'
"""
_ONE = """
SELECT v.body FROM resource r JOIN resource_version v USING (batch_key, ordinal)
WHERE r.resource_type = 'Patient' AND r.resource_id = %s
"""


@contextlib.asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    """Open the connections, and read every patient into memory."""
    idle: asyncio.Queue[psycopg.AsyncConnection[Any]] = asyncio.Queue()
    async with contextlib.AsyncExitStack() as opened:
        for _ in range(_CONNECTIONS):
            connection = await psycopg.AsyncConnection.connect(os.environ["BARE_DATABASE"], autocommit=True)
            idle.put_nowait(await opened.enter_async_context(connection))
        cursor = await connection.execute(_EVERY)
        app.state.idle = idle
        app.state.bodies = {resource_id: unpack(body) for resource_id, body in await cursor.fetchall()}
        yield


async def from_memory(request: Request) -> Response:
    """Answer a patient from memory."""
    return Response(request.app.state.bodies[request.path_params["resource_id"]], media_type=_FHIR_JSON)


async def from_postgres(request: Request) -> Response:
    """Answer a patient from PostgreSQL."""
    idle = request.app.state.idle
    connection = await idle.get()
    try:
        cursor = await connection.execute(_ONE, (request.path_params["resource_id"],))
        row = await cursor.fetchone()
    finally:
        idle.put_nowait(connection)
    return Response(unpack(row[0]), media_type=_FHIR_JSON)


application = Starlette(
    routes=[
        Route("/memory/Patient/{resource_id}", from_memory),
        Route("/postgres/Patient/{resource_id}", from_postgres),
    ],
    lifespan=lifespan,
)

if __name__ == "__main__":
    uvicorn.run(application, port=int(sys.argv[1]), access_log=False, log_level="warning")
