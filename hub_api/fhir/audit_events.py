"""The audit trail as FHIR AuditEvent: read and searched, never written (R4 AuditEvent; codes as IHE BALP uses them).

Events are rows, and an AuditEvent is how one is shown. Whose role is held at locations sees the events of these, and
the whole trail of patients known there; events of no location are for roles of the whole group. Reading the trail is on
record too.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from starlette.exceptions import HTTPException

from ehr_pm.record.scope import places_of
from hub_api.fhir.audit_event import ACTIONS, OUTCOMES, SYSTEMS_OF_TYPES, TYPES, audit_event
from hub_api.fhir.bundles import bundle
from hub_api.fhir.cursor import Cursor
from hub_api.fhir.exchange import base_of, fhir_response, id_of, require_json
from hub_api.fhir.parameters import read_count
from hub_api.security.caller import caller_of
from hub_api.security.permission import visible
from hub_api.services import services_of
from hub_core.access import Access, Subject, decide
from hub_core.audit import AuditEvent
from hub_core.auditing import searching
from hub_core.auditing.searching import Place, Wanted
from hub_core.errors import NotFoundError, UnreadableError
from hub_core.fhir.canonical import dumps
from hub_core.fhir.search_values import interval

if TYPE_CHECKING:
    import psycopg
    from starlette.requests import Request
    from starlette.responses import Response

    from hub_core.auditing.questions import Seen

PARAMETERS: Final = {
    "_id": "token",
    "date": "date",
    "patient": "reference",
    "agent": "reference",
    "outcome": "token",
    "entity": "reference",
    "action": "token",
    "type": "token",
}
"""What events are searched by, and the kind of each parameter."""
_COUNT: Final = 50
_TYPE: Final = "AuditEvent"


async def read(request: Request) -> Response:
    """Answer one event."""
    require_json(request)
    event_id, access = id_of(request), caller_of(request).access

    def look(connection: psycopg.Connection[Any]) -> list[Seen]:
        found = searching.find(connection, Wanted(event_ids=[event_id]), limit=1)
        return [each for each in found if _may_see(connection, access, each)]

    found = await services_of(request).read(look)
    await _put_on_record(request, found, resource_id=str(event_id))
    if not found:
        raise NotFoundError("no such event, or none of a location that your role reaches")
    return fhir_response(dumps(audit_event(found[0])))


async def search_by_address(request: Request) -> Response:
    """Answer a search whose parameters stand in the address."""
    return await _search(request, request.query_params.multi_items())


async def search_by_form(request: Request) -> Response:
    """Answer a search whose parameters come in the body."""
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        raise HTTPException(415, "search parameters come as application/x-www-form-urlencoded")
    try:
        form = parse_qsl((await request.body()).decode(), keep_blank_values=True, max_num_fields=50, errors="strict")
    except ValueError as error:
        raise UnreadableError("the form cannot be read", code="invalid") from error
    return await _search(request, [*request.query_params.multi_items(), *form])


async def _search(request: Request, given: list[tuple[str, str]]) -> Response:
    require_json(request)
    services, caller = services_of(request), caller_of(request)
    after = None
    if text := dict(given).get("_cursor"):
        cursor = services.cursors.open(text, caller.principal.principal_id, _TYPE)
        given, after = list(cursor.parameters), _place(cursor)
    wanted, places = _wanted(given), visible(request, "audit.read")
    size = read_count(dict(given).get("_count", str(_COUNT)))
    is_counted = dict(given).get("_total") == "accurate" or size == 0

    def look(connection: psycopg.Connection[Any]) -> tuple[list[Seen], int | None]:
        reached = wanted if _knows(connection, caller.access, wanted) else replace(wanted, places=places)
        found = list(searching.find(connection, reached, limit=size + 1, after=after)) if size else []
        return found, searching.count(connection, reached) if is_counted else None

    found, total = await services.read(look)
    shown = found[:size]
    await _put_on_record(request, shown)
    base = base_of(request, services.settings)
    links = {"self": f"{base}/{_TYPE}" + (f"?{urlencode(given)}" if given else "")}
    if len(found) > size > 0:
        last = shown[-1]
        moment = int(last.recorded_at.timestamp() * 1_000_000)
        following = Cursor(_TYPE, tuple(given), moment, str(last.event_id))
        links["next"] = f"{base}/{_TYPE}?_cursor={services.cursors.seal(following, caller.principal.principal_id)}"
    entries = (_entry(base, each) for each in shown)
    return fhir_response(bundle("searchset", entries, links, total))


def _knows(connection: psycopg.Connection[Any], access: Access, wanted: Wanted) -> bool:
    """Return whether a search is about patients whose whole trail the caller may read, who came from elsewhere too."""
    asked = wanted.patient_ids
    return bool(asked) and all(_may_audit(connection, access, each) for each in asked or ())


def _may_see(connection: psycopg.Connection[Any], access: Access, event: Seen) -> bool:
    places = frozenset([event.location] if event.location else [])
    is_here = decide(access, "audit.read", Subject(places)).is_allowed
    return is_here or (event.patient_id is not None and _may_audit(connection, access, event.patient_id))


def _may_audit(connection: psycopg.Connection[Any], access: Access, patient_id: UUID) -> bool:
    return decide(access, "audit.read", Subject(places_of(connection, access, patient_id), patient_id)).is_allowed


def _entry(base: str, event: Seen) -> bytes:
    url = f"{base}/{_TYPE}/{event.event_id}"
    return dumps({"fullUrl": url, "resource": audit_event(event), "search": {"mode": "match"}})


def _place(cursor: Cursor) -> Place:
    seconds, rest = divmod(cursor.before, 1_000_000)
    return Place(datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest), UUID(cursor.phase))


def _wanted(given: list[tuple[str, str]]) -> Wanted:
    """Return which events a search asks for.

    Raises:
        UnreadableError: if a parameter is not known, or says what cannot be.
    """
    wanted = Wanted()
    for name, value in given:
        if name in ("_count", "_total", "_format", "_pretty"):
            continue
        wanted = _narrowed(wanted, name, value)
    return wanted


def _narrowed(wanted: Wanted, name: str, value: str) -> Wanted:
    alternatives = [each for each in value.split(",") if each]
    match name:
        case "_id":
            return replace(wanted, event_ids=_both(wanted.event_ids, _uuids(alternatives)))
        case "date":
            return _dated(wanted, value)
        case "patient":
            ids = _uuids(each.removeprefix("Patient/") for each in alternatives)
            return replace(wanted, patient_ids=_both(wanted.patient_ids, ids))
        case "agent":
            ids = _uuids(each.rpartition("/")[2].rpartition("|")[2] for each in alternatives)
            return replace(wanted, principal_ids=_both(wanted.principal_ids, ids))
        case "outcome":
            outcomes = [OUTCOMES[code] for each in alternatives if (code := each.rpartition("|")[2]) in OUTCOMES]
            return replace(wanted, outcomes=_both(wanted.outcomes, outcomes))
        case "entity":
            named = [(kind or None, each) for kind, _, each in (one.rpartition("/") for one in alternatives)]
            return replace(wanted, resources=_both(wanted.resources, named))
        case "action":
            return _verbed(wanted, {each.rpartition("|")[2] for each in alternatives})
        case "type":
            return _typed(wanted, alternatives)
    raise UnreadableError("this is not a search parameter of AuditEvent here", location=name, code="not-supported")


def _dated(wanted: Wanted, text: str) -> Wanted:
    prefix, date = (text[:2], text[2:]) if text[:2] in ("eq", "ge", "gt", "le", "lt", "sa", "eb") else ("eq", text)
    span = interval(date.replace(" ", "+"))
    if span is None:
        raise UnreadableError(
            "a date such as 2026-05-17 or 2026-05-17T10:30Z was expected", location="date", code="value"
        )
    begins = {"eq": span[0], "ge": span[0], "gt": span[1], "sa": span[1]}.get(prefix)
    ends = {"eq": span[1], "le": span[1], "lt": span[0], "eb": span[0]}.get(prefix)
    since = begins if wanted.since is None else max(wanted.since, begins or wanted.since)
    until = ends if wanted.until is None else min(wanted.until, ends or wanted.until)
    return replace(wanted, since=since, until=until)


def _verbed(wanted: Wanted, codes: set[str]) -> Wanted:
    """Narrow to the verbs of some of C, R, U, D and E; E is whatever is none of the others."""
    verbs = [verb for code in codes for verb in ACTIONS.get(code, ())]
    if "E" not in codes:
        return replace(wanted, verbs=_both(wanted.verbs, verbs))
    others = [verb for code, listed in ACTIONS.items() if code not in codes for verb in listed]
    return replace(wanted, not_verbs=[*(wanted.not_verbs or ()), *others])


def _typed(wanted: Wanted, alternatives: list[str]) -> Wanted:
    codes = {code for each in alternatives for system, _, code in [each.rpartition("|")] if _is_of(system, code)}
    actions = [action for action, code in TYPES.items() if code in codes]
    if "rest" not in codes:
        return replace(wanted, actions=_both(wanted.actions, actions))
    if codes == set(SYSTEMS_OF_TYPES):
        return wanted
    others = [action for action, code in TYPES.items() if code not in codes]
    return replace(wanted, not_actions=[*(wanted.not_actions or ()), *others])


def _is_of(system: str, code: str) -> bool:
    return code in SYSTEMS_OF_TYPES and system in ("", SYSTEMS_OF_TYPES[code])


def _both(before: Any, now: list[Any]) -> list[Any]:
    """Return what is in both: parameters given twice all hold (R4 section 3.1.1.4.2)."""
    return now if before is None else [each for each in now if each in before]


def _uuids(texts: Any) -> list[UUID]:
    found = []
    for text in texts:
        try:
            found.append(UUID(text))
        except ValueError:
            continue
    return found


async def _put_on_record(request: Request, shown: list[Seen], *, resource_id: str | None = None) -> None:
    """Return once it is durable whose trail was read: one event per patient, or one for none."""
    caller = caller_of(request)
    patients: list[UUID | None] = sorted({each.patient_id for each in shown if each.patient_id}, key=str) or [None]
    events = (
        AuditEvent(
            caller.principal.principal_id,
            "audit.read",
            _TYPE,
            resource_id,
            patient_id,
            purpose=caller.purpose,
            location=caller.location,
            detail={"events": len(shown)},
        )
        for patient_id in patients
    )
    await asyncio.wrap_future(services_of(request).audit.write(*events))
