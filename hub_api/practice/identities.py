"""Whom the organisation's log-in says somebody is: linked by whoever runs the places where they work."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from ehr_pm.rows import get as get_row
from ehr_pm.users import identities
from ehr_pm.users.models import OutsideIdentity
from hub_api.login.oidc_token import folded
from hub_api.practice.answers import answer, as_json
from hub_api.security.caller import caller_of
from hub_api.security.over import require_over
from hub_api.services import services_of
from hub_core.database import driver_connection
from hub_core.errors import ConflictError

if TYPE_CHECKING:
    from ehr_pm.acts import Act

router = APIRouter(prefix="/api/practice", tags=["users"])


class NewIdentity(BaseModel):
    """What names somebody in the ID tokens of the provider that the settings name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: str = Field(min_length=1, max_length=255, description="Of the claim that the settings choose.")


@router.post("/staff/{principal_id}/identities", status_code=201)
async def link(request: Request, principal_id: UUID, told: NewIdentity) -> Response:
    """Let a person come in as whom the provider says they are."""
    caller, settings = caller_of(request), services_of(request).settings
    issuer, claim = settings.oidc_issuer, settings.oidc_claim
    if issuer is None:
        raise ConflictError("log-in by an organisation's own provider is not set up here")

    def work(doing: Act) -> Response:
        require_over(caller, driver_connection(doing.session.connection()), principal_id)
        row = identities.link(doing, principal_id, issuer=issuer, claim=claim, value=folded(claim, told.value))
        return answer(as_json(row), status=201, version=row.version)

    return await services_of(request).act(caller, work)


@router.get("/staff/{principal_id}/identities")
async def list_identities(request: Request, principal_id: UUID) -> Response:
    """Answer whom providers say a person is."""
    caller = caller_of(request)

    def work(doing: Act) -> Response:
        require_over(caller, driver_connection(doing.session.connection()), principal_id)
        doing.noted("identity.read", subject=str(principal_id))
        return answer([as_json(row) for row in identities.of_person(doing, principal_id)])

    return await services_of(request).act(caller, work)


@router.delete("/identities/{identity_id}", status_code=204)
async def unlink(request: Request, identity_id: UUID) -> Response:
    """End a link, and the sessions that stand on it."""
    caller = caller_of(request)

    def work(doing: Act) -> Response:
        row = get_row(doing.session, OutsideIdentity, identity_id, "identity")
        require_over(caller, driver_connection(doing.session.connection()), row.principal_id)
        identities.unlink(doing, row)
        return Response(status_code=204)

    return await services_of(request).act(caller, work)
