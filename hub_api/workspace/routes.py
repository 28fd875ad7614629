"""Every page of the workspace in one list, those with fixed addresses before those with names in them."""

from __future__ import annotations

from fastapi import APIRouter

from hub_api.workspace import (
    auditing,
    booking,
    check_in,
    colleagues,
    correcting,
    covering,
    day,
    finding,
    patient,
    registering,
    timeline,
)

router = APIRouter(include_in_schema=False)
for _part in (
    finding,
    registering,
    check_in,  # before the steps of a day, whose address takes any name
    day,
    booking,
    correcting,
    covering,
    patient,
    timeline,
    colleagues,
    auditing,
):
    router.routes.extend(_part.router.routes)
