"""What is written over the API, on its way in: read, checked for its shape, and put into the words of this house."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from hub_api.fhir.outcome import MOST_ISSUES, OutcomeError, issue
from hub_core.fhir import references
from hub_core.fhir.canonical import Json, dumps, load_object
from hub_core.fhir.checking import faults
from hub_core.fhir.registry import RESOURCE_TYPES
from hub_core.fhir.releases import is_ours

if TYPE_CHECKING:
    from starlette.requests import Request

_KINDS: Final = frozenset({"application/fhir+json", "application/json", "application/json+fhir"})
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_VERSIONS_TO_CHOOSE: Final = (4, 7)
"""Of UUIDs that somebody else may give a resource: random ones. Those of version 5 are derived here from what sources
call their resources, and whoever took one would keep its source out."""

Resolve = Callable[[str], str | None]
"""What a reference comes to mean here, where its text alone does not say; None where nothing is known of it."""


async def read_body(request: Request) -> bytes:
    """Return the JSON that a request brings; reading it is for a thread.

    Raises:
        OutcomeError: if it brings something else.
    """
    hold_fhir(request.headers.get("content-type", ""))
    return await request.body()


def hold_fhir(content_type: str) -> None:
    """Return if a content type is that of FHIR R4 in JSON.

    Raises:
        OutcomeError: if not.
    """
    if content_type.partition(";")[0].strip().lower() not in _KINDS:
        raise OutcomeError(415, "resources come as application/fhir+json only")
    if not is_ours(content_type):
        raise OutcomeError(415, "resources of FHIR 4.0 are written here; POST /ingest/<feed> takes other releases")


def accepted(body: bytes, resource_type: str, base: str) -> Json:
    """Return the resource that a request brings, checked and in the words of this house.

    Raises:
        OutcomeError: if it is none of the type, or not shaped as R4 has it.
        UnreadableError: if it cannot be read.
    """
    return settled(checked(load_object(body), resource_type), base, lambda _: None)


def still(resource: Json, resource_type: str, resource_id: str, base: str, resolve: Resolve) -> Json:
    """Return what a patch made of a resource, checked and in the words of this house.

    Raises:
        OutcomeError: 422, if it is another resource now, or not shaped as R4 has it.
        UnreadableError: if it is nested too deep.
    """
    if (resource.get("resourceType"), resource.get("id")) != (resource_type, resource_id):
        raise OutcomeError(422, "a patch changes neither the type nor the id of a resource", code="processing")
    try:
        return settled(checked(load_object(dumps(resource)), resource_type), base, resolve)
    except OutcomeError as error:
        raise OutcomeError.of(422, error.issues) from error


def checked(resource: Json, resource_type: str) -> Json:
    """Return a resource without what the server says of it, if it is of the type and shaped as R4 has that.

    Raises:
        OutcomeError: if not; it names each element at fault.
    """
    named = resource.get("resourceType")
    if named != resource_type:
        text = f"a resource of type {resource_type} was expected" if named else "there is no resourceType"
        raise OutcomeError(400, text, code="invalid", expression=f"{resource_type}.resourceType")
    wrong = [issue("error", each.code, each.text, each.expression) for each in islice(faults(resource), MOST_ISSUES)]
    if wrong:
        raise OutcomeError.of(400, wrong)
    meta = {name: value for name, value in resource.get("meta", {}).items() if name not in ("versionId", "lastUpdated")}
    kept = {name: value for name, value in resource.items() if name != "meta"}
    return {**kept, "meta": meta} if meta else kept


def chosen_id(resource_id: str) -> str:
    """Return an id that somebody wants to give a resource which is not there yet.

    Raises:
        OutcomeError: if we have no such ids.
    """
    if not is_id(resource_id) or UUID(resource_id).version not in _VERSIONS_TO_CHOOSE:
        text = "ids of new resources are chosen by this server, or are random UUIDs; POST it, or PUT by a search"
        raise OutcomeError(400, text, code="value")
    return resource_id


def is_id(text: str) -> bool:
    """Return whether a resource of ours can be called that."""
    return _UUID.fullmatch(text) is not None


def settled(resource: Json, base: str, resolve: Resolve) -> Json:
    """Return a resource whose references are those of this house.

    A reference in full to this server becomes a relative one; one to another server stays as it is. A relative one must
    be able to mean something here, though what it means may come later.

    Raises:
        OutcomeError: for a reference that can never mean anything here.
    """
    unknown = dict(_senseless(resource, resource["resourceType"], base, resolve))
    if unknown:
        issues = [issue("error", "value", text, place) for place, text in unknown.items()]
        raise OutcomeError.of(400, issues)
    return references.rewrite(resource, lambda text: resolve(text) or _relative(text, base))


def _senseless(node: Any, place: str, base: str, resolve: Resolve) -> Iterator[tuple[str, str]]:
    if isinstance(node, list):
        for number, each in enumerate(node):
            yield from _senseless(each, f"{place}[{number}]", base, resolve)
    elif isinstance(node, dict):
        text = node.get("reference")
        if isinstance(text, str) and resolve(text) is None and (why := _why_senseless(_relative(text, base))):
            yield f"{place}.reference", why
        for name, each in node.items():
            if isinstance(each, dict | list):
                yield from _senseless(each, f"{place}.{name}", base, resolve)


def _relative(text: str, base: str) -> str:
    return text.removeprefix(f"{base}/")


def _why_senseless(text: str) -> str | None:
    if text.startswith("#"):
        return None
    if text.startswith("urn:"):
        return "no entry of a Bundle is called so"
    found = references.target(text)
    if found is not None and (found.base is not None or is_id(found.resource_id)):
        return None
    if found is not None:
        return "ids of this server are UUIDs in lower case"
    if text.partition("?")[0] in RESOURCE_TYPES:
        return "a reference by a search belongs into a transaction"
    return None if "://" in text else "this is no reference"
