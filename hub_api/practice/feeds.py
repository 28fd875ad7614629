"""Feeds at work: what has come from each, what waits, and what was rejected and why."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from psycopg.rows import dict_row

from hub_api.security.permission import visible
from hub_api.services import services_of
from hub_core.clock import instant
from hub_core.errors import NotFoundError
from hub_core.fhir.canonical import Json, dumps

if TYPE_CHECKING:
    import psycopg

    from hub_core.feeds import Feed

router = APIRouter(prefix="/api/feeds", tags=["feeds"])


@router.get("")
async def list_feeds(request: Request) -> Response:
    """Answer every feed that is configured or has brought a message, with its counts."""
    services, places = services_of(request), visible(request, "feed.read")
    counted = {row["feed"]: row for row in await services.query(partial(_count, places=places))}
    expected = [feed for feed in services.feeds.values() if places is None or feed.location in places]
    silent = [_silent(feed) for feed in expected if feed.name not in counted]
    found = sorted([*counted.values(), *silent], key=lambda row: row["feed"])
    return Response(dumps(found), media_type="application/json")


@router.get("/{feed}/rejects")
async def list_rejects(request: Request, feed: str, limit: int = Query(default=100, ge=1, le=1000)) -> Response:
    """Answer the latest records of a feed that were not taken, each with the reason."""
    services, places = services_of(request), visible(request, "feed.read")
    configured = services.feeds.get(feed)
    is_expected = configured is not None and (places is None or configured.location in places)
    if not is_expected and feed not in {row["feed"] for row in await services.query(partial(_count, places=places))}:
        raise NotFoundError("no such feed")

    def read(connection: psycopg.Connection[Any]) -> list[Json]:
        with connection.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(
                "SELECT reject_id::text, message_id::text, input, position, kind, severity, code, reason, location,"
                " created_at FROM reject WHERE feed = %s ORDER BY created_at DESC, position LIMIT %s",
                (feed, limit),
            ).fetchall()

    rows = await services.query(read)
    return Response(
        dumps([{**row, "created_at": instant(row["created_at"])} for row in rows]), media_type="application/json"
    )


def _count(connection: psycopg.Connection[Any], *, places: frozenset[str] | None) -> list[Json]:
    """Return the feeds that brought messages of these locations, None being all, with the counts of those."""
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(
            "SELECT feed, max(source) AS source, max(format) AS format, sum(records)::bigint AS received,"
            " sum(processed)::bigint AS processed, sum(filtered)::bigint AS filtered,"
            " sum(rejected)::bigint AS rejected,"
            " coalesce(sum(records) FILTER (WHERE state = 'received'), 0)::bigint AS waiting,"
            " max(received_at) AS last_received_at, extract(epoch FROM clock_timestamp() - min(received_at)"
            "  FILTER (WHERE state = 'received'))::float8 AS oldest_waiting_seconds FROM message"
            " WHERE %(is_whole)s OR location = ANY(%(places)s) GROUP BY feed",
            {"is_whole": places is None, "places": sorted(places or ())},
        ).fetchall()
    return [{**row, "last_received_at": instant(row["last_received_at"])} for row in rows]


def _silent(feed: Feed) -> Json:
    return {
        "feed": feed.name,
        "source": feed.source,
        "format": feed.format,
        "received": 0,
        "processed": 0,
        "filtered": 0,
        "rejected": 0,
        "waiting": 0,
        "last_received_at": None,
        "oldest_waiting_seconds": None,
    }
