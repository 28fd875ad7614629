"""From a number to the rows it counts, and from a row to the resources and messages it was made from.

A number names nobody; its rows do. So rows and traces are answered here, each look put on record with every patient
whose data it shows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar
from uuid import UUID

import anyio.to_thread
import duckdb
from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from ehr_pm.record.origins import Origins, TracedMessage, origins
from ehr_pm.record.scope import closed
from hub_api.practice.mart_rows import Condition, Row, is_within, patients_behind, read_rows
from hub_api.security.caller import Caller, caller_of
from hub_api.security.permission import scope, visible
from hub_api.services import Services, services_of
from hub_core.audit import AuditEvent
from hub_core.clock import instant
from hub_core.errors import NotFoundError
from hub_core.fhir.canonical import Json, dumps
from hub_core.keyring import Keyring
from hub_core.marts import Mart, find_mart, traces_of
from hub_core.messages.store import MessageStore
from hub_core.snapshot import kept_snapshots, open_snapshot

if TYPE_CHECKING:
    import psycopg

    from hub_core.settings import Settings

router = APIRouter(prefix="/api/marts", tags=["marts"])

_MOST_ROWS: Final = 500
_MOST_TEXT: Final = 20_000
"""Characters of a record that are answered; a file of many megabytes is not read on a page."""

_PATIENTS_OF_MESSAGES: Final = (
    "SELECT DISTINCT patient_id FROM resource_version WHERE message_id = ANY(%s) AND patient_id IS NOT NULL"
)

T = TypeVar("T")


class RowsWanted(BaseModel):
    """Which rows of a mart."""

    model_config = ConfigDict(extra="forbid")

    where: list[Condition] = Field(default_factory=list, max_length=20)
    snapshot: str | None = Field(default=None, max_length=100, description="A build's name; the current one if none.")
    limit: int = Field(default=100, ge=1, le=_MOST_ROWS)
    offset: int = Field(default=0, ge=0, le=10_000_000)


class TraceWanted(BaseModel):
    """Which row of a mart."""

    model_config = ConfigDict(extra="forbid")

    key: str = Field(min_length=1, max_length=500, description="The value of the mart's first column.")
    snapshot: str | None = Field(default=None, max_length=100, description="A build's name; the current one if none.")


@dataclass(frozen=True, slots=True)
class _Rows:
    """Rows of a mart as read from one snapshot."""

    mart: Mart
    total: int
    rows: list[Row]


@dataclass(frozen=True, slots=True)
class _Named:
    """What one row of a mart names."""

    traces: list[str]
    patients: list[str]


@router.post("/{mart}/rows")
async def list_rows(request: Request, mart: str, wanted: RowsWanted) -> Response:
    """Answer the rows of a mart that fulfil all conditions, the newest first."""
    services, caller = services_of(request), caller_of(request)
    places, page = visible(request, "report.read"), {"limit": wanted.limit, "offset": wanted.offset}
    hidden = await services.query(partial(closed, scope=scope(request, "report.read")))

    def read(warehouse: duckdb.DuckDBPyConnection) -> _Rows:
        found = find_mart(warehouse, mart)
        return _Rows(found, *read_rows(warehouse, found, wanted.where, **page, places=places, closed=hidden))

    answer = await _ask(services, wanted.snapshot, read)
    shown = {patient: row.values.get("location") for row in answer.rows for patient in row.patients}
    detail = {"mart": mart, "rows": len(answer.rows)}
    await _put_on_record(services, caller, "mart.rows", shown.items(), detail)
    return Response(dumps(_rows_json(answer)), media_type="application/json")


@router.post("/{mart}/trace")
async def read_trace(request: Request, mart: str, wanted: TraceWanted) -> Response:
    """Answer the resources a row was made from, and the messages that said so."""
    services, caller = services_of(request), caller_of(request)
    places = visible(request, "chart.read")
    hidden = await services.query(partial(closed, scope=scope(request, "chart.read")))

    def read(warehouse: duckdb.DuckDBPyConnection) -> _Named:
        found = find_mart(warehouse, mart)
        if not is_within(warehouse, found, wanted.key, places, hidden):
            raise NotFoundError(f"the mart {mart} has no row whose {found.key} is this key")
        return _Named(traces_of(warehouse, found, wanted.key), patients_behind(warehouse, found, wanted.key))

    named = await _ask(services, wanted.snapshot, read)
    found, others = await services.query(partial(_walk, services=services, references=named.traces))
    patients = {*named.patients, *(f"Patient/{patient}" for patient in others)}
    detail = {"mart": mart, "key": wanted.key}
    await _put_on_record(services, caller, "mart.trace", ((each, None) for each in sorted(patients)), detail)
    return Response(dumps(_trace_json(mart, wanted.key, found)), media_type="application/json")


async def _ask(services: Services, build_id: str | None, question: Callable[[duckdb.DuckDBPyConnection], T]) -> T:
    """Return what a snapshot answers, asked on a thread."""

    def run() -> T:
        with _opened(services.settings, build_id) as warehouse:
            return question(warehouse)

    return await anyio.to_thread.run_sync(run, limiter=services.queries)


def _opened(settings: Settings, build_id: str | None) -> duckdb.DuckDBPyConnection:
    kept = kept_snapshots(settings)
    if not kept:
        raise NotFoundError("no warehouse has been published yet")
    chosen = next((each for each in kept if build_id in (None, each.build_id)), None)
    if chosen is None:
        raise NotFoundError("this snapshot of the warehouse is no longer kept")
    return open_snapshot(chosen)


def _walk(
    connection: psycopg.Connection[Any], *, services: Services, references: list[str]
) -> tuple[Origins, list[UUID]]:
    """Return the origins of a row, and the patients that its whole messages speak of."""
    store = MessageStore(services.database, Keyring(services.settings.keys_dir), services.settings)
    found = origins(connection, store, references)
    messages = [UUID(message.message_id) for message in found.messages]
    return found, [row[0] for row in connection.execute(_PATIENTS_OF_MESSAGES, (messages,)).fetchall()]


async def _put_on_record(
    services: Services, caller: Caller, action: str, patients: Iterable[tuple[str, str | None]], detail: Json
) -> None:
    """Write an audit event for each patient shown, or one for none, before anything is answered."""
    asked = (caller.principal.principal_id, action, "Patient")
    events = [
        AuditEvent(*asked, patient_id, patient_id, purpose=caller.purpose, location=location, detail=detail)
        for patient_id, location in ((patient.removeprefix("Patient/"), location) for patient, location in patients)
    ]
    nobody = AuditEvent(*asked, purpose=caller.purpose, detail=detail)
    await asyncio.wrap_future(services.audit.write(*(events or [nobody])))


def _rows_json(answer: _Rows) -> Json:
    return {
        "mart": answer.mart.name,
        "key": answer.mart.key,
        "columns": [{"name": name, "type": kind} for name, kind in answer.mart.columns.items() if name != "traces"],
        "total": answer.total,
        "rows": [{name: _json(value) for name, value in row.values.items()} for row in answer.rows],
        "people": [
            None if row.person is None else {name: _json(value) for name, value in row.person.items()}
            for row in answer.rows
        ],
    }


def _json(value: Any) -> Any:
    """Return a value of a column as JSON; money as text, because a reader may take numbers for binary floats."""
    if isinstance(value, datetime):
        return instant(value)
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value


def _trace_json(mart: str, key: str, found: Origins) -> Json:
    return {
        "mart": mart,
        "key": key,
        "resources": [
            {
                "reference": resource.reference,
                "versions": [
                    {
                        "version": version.version,
                        "source": version.source,
                        "location": version.location,
                        "recorded_at": instant(version.recorded_at),
                        "is_deleted": version.is_deleted,
                        "message": _message_json(version.message) if version.message else None,
                    }
                    for version in resource.versions
                ],
            }
            for resource in found.resources
        ],
        "messages": [_message_json(message) for message in found.messages],
    }


def _message_json(message: TracedMessage) -> Json:
    text = message.record.decode("utf-8", "replace")
    return {
        "message_id": message.message_id,
        "feed": message.feed,
        "kind": message.kind,
        "input": message.input,
        "record": message.place,
        "received_at": instant(message.received_at),
        "text": text[:_MOST_TEXT],
        "is_whole": len(text) <= _MOST_TEXT,
    }
