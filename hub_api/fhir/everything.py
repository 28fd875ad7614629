"""Patient/$everything: a patient's compartment, then what its resources refer to (R4 Patient operations)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ehr_pm.record import queries
from ehr_pm.record.scope import hidden_kinds, programmes_of, subject_of
from hub_api.fhir import bundles
from hub_api.fhir.cursor import Cursor
from hub_api.fhir.exchange import as_number, base_of, fhir_response, id_of, put_on_record, require_json
from hub_api.fhir.parameters import DEFAULT_COUNT, read_count
from hub_api.security.caller import caller_of
from hub_api.security.permission import require_any
from hub_api.services import services_of
from hub_core.errors import NotFoundError

if TYPE_CHECKING:
    from uuid import UUID

    import psycopg
    from starlette.requests import Request
    from starlette.responses import Response

    from ehr_pm.record.queries import Found

OWN: Final = "own"
SHARED: Final = "shared"


async def everything(request: Request) -> Response:
    """Answer one page of everything about a patient."""
    require_json(request)
    services, caller = services_of(request), caller_of(request)
    patient_id, base = id_of(request), base_of(request, services.settings)
    path = f"Patient/{patient_id}/$everything"
    count = read_count(request.query_params.get("_count", str(DEFAULT_COUNT))) or DEFAULT_COUNT
    phase, before = OWN, None
    if text := request.query_params.get("_cursor"):
        cursor = services.cursors.open(text, caller.principal.principal_id, path)
        phase, before = cursor.phase, cursor.before
        count = as_number(dict(cursor.parameters)["_count"], "_cursor")

    def run(connection: psycopg.Connection[Any]) -> tuple[list[Found], list[Found]]:
        found = queries.read(connection, "Patient", patient_id)
        if found is None or found.deleted:
            raise NotFoundError("no such patient")
        subject = subject_of(connection, caller.access, found)
        require_any(caller, ("chart.read",), subject)
        hidden = hidden_kinds(caller.access, "chart.read", subject)
        programmes = programmes_of(caller.access, "chart.read")
        return _page(connection, patient_id, phase, before, count, hidden, programmes)

    own, shared = await services.query(run)
    shown = [*own, *shared][:count]
    await put_on_record(request, "patient.everything", "Patient", own, resource_id=patient_id)
    links = {"self": f"{base}/{path}?_count={count}"}
    if len(own) + len(shared) > count:
        following = _next(path, count, own, shared)
        links["next"] = f"{base}/{path}?_cursor={services.cursors.seal(following, caller.principal.principal_id)}"
    entries = [
        bundles.search_entry(base, found, "match" if position < len(own) else "include")
        for position, found in enumerate(shown)
    ]
    return fhir_response(bundles.bundle("searchset", entries, links))


def _page(
    connection: psycopg.Connection[Any],
    patient_id: UUID,
    phase: str,
    before: int | None,
    count: int,
    hidden: list[str],
    programmes: list[str],
) -> tuple[list[Found], list[Found]]:
    """Return what comes next of both parts, together one more than a page where there is more."""
    own: list[Found] = []
    closed = {"hidden": hidden, "programmes": programmes}
    if phase == OWN:
        own = queries.compartment(connection, patient_id, limit=count + 1, before=before, **closed)
        before = None
    left = count + 1 - len(own)
    if not left:
        return own, []
    return own, queries.referred_to(connection, patient_id, limit=left, before=before, **closed)


def _next(path: str, count: int, own: list[Found], shared: list[Found]) -> Cursor:
    """Return where the next page begins: the one resource beyond this page is the last of one part."""
    parameters = (("_count", str(count)),)
    if len(shared) > 1:
        return Cursor(path, parameters, shared[-2].resource_key, SHARED)
    if shared:  # the page ends exactly where the patient's own resources do
        return Cursor(path, parameters, 2**63 - 1, SHARED)
    return Cursor(path, parameters, own[-2].resource_key, OWN)
