"""Every page of the workspace in one list, those with fixed addresses before those with names in them."""

from __future__ import annotations

from fastapi import APIRouter

from hub_api.workspace import (
    accounting,
    arranging,
    auditing,
    authenticator,
    booking,
    calendar,
    cards,
    check_in,
    colleague,
    colleagues,
    correcting,
    covering,
    day,
    drafting,
    finding,
    glass,
    moving,
    organising,
    patient,
    place,
    portal,
    portal_home,
    registering,
    reminding,
    repeating,
    timeline,
    visit,
    waiting,
)

router = APIRouter(include_in_schema=False)
for _part in (
    drafting,
    finding,
    registering,
    calendar,
    repeating,
    waiting,
    reminding,
    visit,
    moving,
    check_in,  # before the steps of a day, whose address takes any name
    day,
    booking,
    correcting,
    covering,
    patient,
    timeline,
    portal,
    portal_home,
    colleagues,
    organising,
    place,
    arranging,
    authenticator,
    cards,
    auditing,
    accounting,
    glass,
    colleague,  # whose steps take any name
):
    router.routes.extend(_part.router.routes)
