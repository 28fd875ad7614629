"""Writing one resource: create, update, patch, delete, if need be on a condition (R4 sections 3.1.0.4 to 3.1.0.8)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import anyio.to_thread

from ehr_pm.stating import close_types
from hub_api.fhir import answering
from hub_api.fhir.carrying_out import Writing
from hub_api.fhir.conditions import Condition, read_condition
from hub_api.fhir.deciding import writing
from hub_api.fhir.exchange import base_of, require_json, type_of
from hub_api.fhir.incoming import accepted, chosen_id, is_id, read_body, still
from hub_api.fhir.outcome import OutcomeError
from hub_api.fhir.patches.reading import Patch, read_patch
from hub_api.fhir.wishes import Done, Wish, version_wanted
from hub_api.security.caller import caller_of
from hub_api.services import services_of
from hub_core.errors import NotFoundError
from hub_core.fhir.ids import new_id

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from ehr_pm.acts import Act
    from hub_core.fhir.canonical import Json


async def create(request: Request) -> Response:
    """Make a resource, under an id of ours; with `If-None-Exist`, unless there is one that matches."""
    resource_type, sent = await _sent(request)
    return await _answered(request, Wish("create", resource_type, str(new_id()), sent), _unless(request, resource_type))


async def update(request: Request) -> Response:
    """Put a resource in the place of what is there; or make it, under a random id that its writer has chosen."""
    resource_type, sent = await _sent(request)
    resource_id = request.path_params["resource_id"]
    if sent.get("id") != resource_id:
        raise OutcomeError(
            400, "the resource bears another id than its address", code="invalid", expression=f"{resource_type}.id"
        )
    if not is_id(resource_id):
        chosen_id(resource_id)
    wanted = version_wanted(request.headers.get("if-match"))
    return await _answered(request, Wish("update", resource_type, resource_id, sent, wanted))


async def delete(request: Request) -> Response:
    """Delete a resource: its versions stay, and say that it is no more."""
    require_json(request)
    resource_type, resource_id = type_of(request), request.path_params["resource_id"]
    writing(resource_type)
    if not is_id(resource_id):
        raise NotFoundError("no such resource")
    wanted = version_wanted(request.headers.get("if-match"))
    return await _answered(request, Wish("delete", resource_type, resource_id, None, wanted))


async def update_matching(request: Request) -> Response:
    """Put a resource in the place of the one that the address searches for; make it, if none is found."""
    resource_type, sent = await _sent(request)
    wanted = version_wanted(request.headers.get("if-match"))
    wish = Wish("update", resource_type, str(new_id()), sent, wanted)
    return await _answered(request, wish, _searched(request, resource_type))


async def delete_matching(request: Request) -> Response:
    """Delete the resource that the address searches for."""
    require_json(request)
    writing(resource_type := type_of(request))
    wanted = version_wanted(request.headers.get("if-match"))
    wish = Wish("delete", resource_type, str(new_id()), None, wanted)
    return await _answered(request, wish, _searched(request, resource_type))


def _unless(request: Request, resource_type: str) -> Condition | None:
    query = request.headers.get("if-none-exist", "").partition("?")
    text = query[2] or query[0]
    return read_condition(resource_type, text, _base(request)) if text.strip() else None


def _searched(request: Request, resource_type: str) -> Condition:
    return read_condition(resource_type, request.url.query, _base(request))


async def patch(request: Request) -> Response:
    """Change parts of a resource, as a JSON Patch or a FHIRPath Patch says."""
    resource_type, change = await _change(request)
    resource_id = request.path_params["resource_id"]
    if not is_id(resource_id):
        raise NotFoundError("no such resource")
    wanted = version_wanted(request.headers.get("if-match"))
    return await _patched(request, Wish("update", resource_type, resource_id, None, wanted), change)


async def patch_matching(request: Request) -> Response:
    """Change parts of the resource that the address searches for."""
    resource_type, change = await _change(request)
    wanted = version_wanted(request.headers.get("if-match"))
    wish = Wish("update", resource_type, str(new_id()), None, wanted)
    return await _patched(request, wish, change, _searched(request, resource_type))


async def _patched(request: Request, wish: Wish, change: Patch, condition: Condition | None = None) -> Response:
    services, caller, base = services_of(request), caller_of(request), _base(request)

    def write(doing: Act) -> Done:
        act = Writing(doing, caller, services.keyring)
        if condition is not None:
            close_types(act.connection, [wish.resource_type])
        meant = wish if condition is None else act.find(wish, condition)
        if isinstance(meant, Done):
            return meant
        return act.carry_out(
            [act.changed(meant, lambda resource: still(change(resource), *meant.key, base, lambda _: None))]
        )[0]

    return answering.answer(request, base, await services.act(caller, write))


async def _change(request: Request) -> tuple[str, Patch]:
    require_json(request)
    writing(resource_type := type_of(request))
    work = partial(read_patch, request.headers.get("content-type", ""), await request.body())
    return resource_type, await anyio.to_thread.run_sync(work, limiter=services_of(request).queries)


async def _sent(request: Request) -> tuple[str, Json]:
    require_json(request)
    writing(resource_type := type_of(request))
    work = partial(accepted, await read_body(request), resource_type, _base(request))
    return resource_type, await anyio.to_thread.run_sync(work, limiter=services_of(request).queries)


def _base(request: Request) -> str:
    return base_of(request, services_of(request).settings)


async def _answered(request: Request, wish: Wish, condition: Condition | None = None) -> Response:
    services, caller = services_of(request), caller_of(request)

    def write(doing: Act) -> Done:
        act = Writing(doing, caller, services.keyring)
        if condition is None:
            return act.carry_out([wish])[0]
        close_types(act.connection, [wish.resource_type])
        found = act.find(wish, condition)
        return found if isinstance(found, Done) else act.carry_out([found])[0]

    done = await services.act(caller, write)
    return answering.answer(request, _base(request), done)
