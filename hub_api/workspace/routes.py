"""Every page of the workspace in one list, those with fixed addresses before those with names in them."""

from __future__ import annotations

from fastapi import APIRouter

from hub_api.workspace import booking, check_in, correcting, covering, day, finding, patient, registering

router = APIRouter(include_in_schema=False)
for _part in (finding, registering, check_in, day, booking, correcting, covering, patient):
    router.routes.extend(_part.router.routes)
