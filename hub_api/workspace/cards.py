"""Images of insurance cards: taken with a camera or chosen as a file, and shown to those who see coverages."""

from __future__ import annotations

from functools import partial
from typing import Final, Literal, TypeAlias
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from ehr_pm.coverage import repository, service
from ehr_pm.coverage.models import Coverage
from ehr_pm.patients.models import Patient
from hub_api.services import services_of
from hub_api.workspace.desk import Desk, at_desk
from hub_api.workspace.pages import PageRoute, led_on, page
from hub_api.workspace.reach import note_read, patient_for
from hub_core.access import Action
from hub_core.errors import TooLargeError, UnreadableError

router = APIRouter(route_class=PageRoute)

Side: TypeAlias = Literal["front", "back"]

_IN_MEMORY: Final = 2 * service.LARGEST_CARD
"""An image is never put down on the disk unsealed, not even for a moment."""


@router.get("/work/coverages/{coverage_id}/cards")
async def show_cards(request: Request, coverage_id: UUID) -> Response:
    """Show both sides of the card of a coverage, and let images of them be added."""
    return await at_desk(request, partial(_show, coverage_id=coverage_id))


@router.get("/work/coverages/{coverage_id}/cards/{side}")
async def show_image(request: Request, coverage_id: UUID, side: Side) -> Response:
    """Answer the image of a side."""
    return await at_desk(request, partial(_image, coverage_id=coverage_id, side=side))


@router.post("/work/coverages/{coverage_id}/cards/{side}")
async def keep_image(request: Request, coverage_id: UUID, side: Side) -> Response:
    """Keep an image of a side, or show why it cannot be."""
    image = await _uploaded(request)
    keyring = services_of(request).keyring

    def keep(desk: Desk) -> None:
        row, patient = _coverage_for(desk, coverage_id, "coverage.write")
        service.keep_card(desk.doing, row, patient, side, image, keyring)

    try:
        await at_desk(request, keep)
    except UnreadableError:
        problem = "Choose an image, JPEG or PNG, of at most 5 MiB."
        return await at_desk(request, partial(_show, coverage_id=coverage_id, problem=problem, status=422))
    except TooLargeError as error:
        problem = f"{str(error).capitalize()}."
        return await at_desk(request, partial(_show, coverage_id=coverage_id, problem=problem, status=413))
    return led_on(f"/work/coverages/{coverage_id}/cards")


async def _uploaded(request: Request) -> bytes:
    """Return the image of a form, held in memory only; nothing where there is none."""
    parser = MultiPartParser(request.headers, request.stream(), max_files=1, max_fields=5)
    parser.spool_max_size = _IN_MEMORY
    try:
        form = await parser.parse()
        chosen = form.get("image")
        image = await chosen.read() if isinstance(chosen, UploadFile) else b""
        await form.close()
    except (MultiPartException, KeyError, AttributeError) as error:
        raise UnreadableError("a form with an image was expected", code="value") from error
    return image


def _coverage_for(desk: Desk, coverage_id: UUID, action: Action) -> tuple[Coverage, Patient]:
    row = repository.get(desk.session, coverage_id)
    return row, patient_for(desk, row.patient_id, action)[0]


def _image(desk: Desk, *, coverage_id: UUID, side: Side) -> Response:
    row, patient = _coverage_for(desk, coverage_id, "coverage.read")
    card = repository.card(desk.session, coverage_id, side)
    desk.doing.noted(
        "coverage.read_card",
        resource_type="Coverage",
        resource_id=str(row.coverage_id),
        patient_id=patient.patient_id,
        location=patient.home_location.key,
    )
    return Response(services_of(desk.request).keyring.unseal(card.image), media_type=card.media_type)


def _show(desk: Desk, *, coverage_id: UUID, problem: str = "", status: int = 200) -> Response:
    row, patient = _coverage_for(desk, coverage_id, "coverage.read")
    note_read(desk, patient)
    return page(
        desk,
        "cards.html",
        status=status,
        coverage=row,
        patient=patient,
        sides=repository.cards(desk.session, [coverage_id]).get(coverage_id, frozenset()),
        may_write=desk.may("coverage.write", patient_for(desk, patient.patient_id, "coverage.read")[1]),
        problem=problem,
    )
