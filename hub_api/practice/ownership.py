"""Who is master of what, for programs: set for a location; and what does not fit together between rows and record."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from ehr_pm import findings
from ehr_pm.acts import Act
from ehr_pm.organisation import ownership
from ehr_pm.organisation.models import Location
from ehr_pm.organisation.schemas import Masters
from ehr_pm.rows import get as get_row
from hub_api.practice.answers import answer, as_json, refuse_stale
from hub_api.security.caller import caller_of
from hub_api.security.permission import require, visible
from hub_api.services import services_of
from hub_core.access import Subject
from hub_core.clock import instant
from hub_core.database import driver_connection

router = APIRouter(prefix="/api/practice", tags=["ownership"])

_WHOLE_GROUP: Final = Subject(frozenset())


@router.put("/locations/{location_id}/masters")
async def set_masters(request: Request, location_id: UUID, told: Masters) -> Response:
    """Say which source keeps the patients and the schedule of a location; If-Match must name the version read."""

    def work(doing: Act) -> Response:
        row = get_row(doing.session, Location, location_id, "location")
        require(request, "organisation.write", _WHOLE_GROUP)
        refuse_stale(request, row.version, is_required=True)
        ownership.set_masters(doing, row, told)
        return answer(as_json(row), version=row.version)

    return await services_of(request).act(caller_of(request), work)


@router.get("/findings")
async def list_findings(request: Request, limit: Annotated[int, Query(ge=1, le=2000)] = 500) -> Response:
    """Answer what does not fit together at the locations the caller looks after, the newest first."""
    places = visible(request, "feed.read")

    def work(doing: Act) -> Response:
        connection = driver_connection(doing.session.connection())
        rows = findings.open_findings(connection, locations=places, limit=limit)
        doing.noted("finding.read")
        return answer(
            [
                {
                    **asdict(row),
                    "subject_id": str(row.subject_id),
                    "found_at": instant(row.found_at),
                    "words": row.words,
                }
                for row in rows
            ]
        )

    return await services_of(request).act(caller_of(request), work)
