"""Bundles posted to the server: batches, each entry for itself, and transactions, all or none (R4 section 3.1.0.11)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import anyio.to_thread
import orjson
import psycopg
from sqlalchemy.exc import DataError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from hub_api.fhir import answering, reading, writing
from hub_api.fhir.carrying_out import Writing
from hub_api.fhir.entries import ORDER, Entry, entries_of, read_entry
from hub_api.fhir.exchange import base_of, fhir_response, require_json
from hub_api.fhir.incoming import read_body
from hub_api.fhir.outcome import FHIR_JSON, OutcomeError, issue, outcome, outcome_of
from hub_api.fhir.patches.reading import carried
from hub_api.fhir.searching import search_by_address
from hub_api.fhir.transactions import Transaction
from hub_api.security.caller import caller_of
from hub_api.security.permission import RefusedError, record_refusal
from hub_api.security.policy import actions_for
from hub_api.services import services_of
from hub_core.access import Decision, holds
from hub_core.clock import instant
from hub_core.errors import AccessDeniedError, UnreadableError, WholechartError
from hub_core.fhir.canonical import Json, dumps, load_object

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ehr_pm.acts import Act
    from hub_api.fhir.wishes import Done

_PASSED_ON: Final = frozenset({b"host", b"x-location", b"x-purpose-of-use", b"prefer"})
"""Headers of the Bundle that count for each of its entries."""
_SAID: Final = "%=&+,:;/?|!$@*()~'[]"
"""What stands in a query as it is."""


async def submit(request: Request) -> Response:
    """Carry out a batch or a transaction."""
    require_json(request)
    services = services_of(request)
    work = partial(_read, await read_body(request), base_of(request, services.settings))
    entries, transaction = await anyio.to_thread.run_sync(work, limiter=services.queries)
    if transaction is None:
        kind, answers = "batch", await _batch(request, entries)
    else:
        kind, answers = "transaction", await _transaction(request, entries, transaction)
    return fhir_response(dumps({"resourceType": "Bundle", "type": f"{kind}-response", "entry": answers}))


def _read(body: bytes, base: str) -> tuple[list[Entry | WholechartError], Transaction | None]:
    """Return what the entries of a Bundle ask for, and of a transaction all that it writes.

    Raises:
        OutcomeError: if it is neither batch nor transaction, or one entry of a transaction cannot be read.
        UnreadableError: if it is no JSON.
    """
    bundle = load_object(body)
    kind = bundle.get("type") if bundle.get("resourceType") == "Bundle" else None
    if kind not in ("batch", "transaction"):
        text = "a Bundle of type batch or transaction was expected"
        raise OutcomeError(400, text, code="invalid", expression="Bundle.type")
    told = entries_of(bundle)
    if kind == "batch":
        return [_read_alone(each, number, base) for number, each in enumerate(told)], None
    entries = [read_entry(each, number, base) for number, each in enumerate(told)]
    return [*entries], Transaction([each for each in entries if each.method != "GET"], base)


def _read_alone(told: Any, number: int, base: str) -> Entry | WholechartError:
    try:
        return read_entry(told, number, base)
    except OutcomeError as error:
        return error


async def _batch(request: Request, read: Sequence[Entry | WholechartError]) -> list[Json]:
    """Answer each entry for itself, in the order in which a server carries them out."""
    answers: dict[int, Json] = {}
    for number, entry in sorted(enumerate(read), key=lambda each: _rank(each[1])):
        answers[number] = _refused(entry) if isinstance(entry, WholechartError) else await _answered(request, entry)
    return [answers[number] for number in range(len(read))]


async def _transaction(
    request: Request, entries: Sequence[Entry | WholechartError], transaction: Transaction
) -> list[Json]:
    """Carry out all that writes in one act, then read."""
    services, caller = services_of(request), caller_of(request)
    base = base_of(request, services.settings)

    def write(doing: Act) -> dict[str, Done]:
        return transaction.carry_out(Writing(doing, caller, services.keyring))

    done = await services.act(caller, write)
    wanted = answering.wanted_return(request, "minimal")
    return [
        _written(base, done[each.place], wanted) if each.place in done else await _answered(request, each)
        for each in entries
        if isinstance(each, Entry)
    ]


def _rank(entry: Entry | WholechartError) -> int:
    return ORDER.index(entry.method) if isinstance(entry, Entry) else 0


async def _answered(request: Request, entry: Entry) -> Json:
    """Answer an entry as the request that it stands for would be answered."""
    try:
        alone = _as_request(request, entry)
    except OutcomeError as error:
        return _refused(error.within(entry.place))
    try:
        if entry.method == "GET":
            _hold_reading(alone, entry)
        return _told(await _route(entry)(alone))
    except AccessDeniedError as error:
        await record_refusal(alone, 403, error)
        return _refused(error)
    except WholechartError as error:
        return _refused(error)
    except (psycopg.DataError, DataError):  # as the application answers it: what no database holds
        return _refused(UnreadableError("a value holds what cannot be stored or compared", code="value"))
    except HTTPException as error:
        return _answer(error.status_code, {"outcome": outcome(issue("error", "processing", str(error.detail)))})


def _hold_reading(request: Request, entry: Entry) -> None:
    needed = actions_for(entry.resource_type)
    if entry.resource_type == "AuditEvent" or not any(holds(caller_of(request).access, each) for each in needed):
        raise RefusedError(Decision(False, "no role of yours allows this"), needed[0])


def _route(entry: Entry) -> Callable[[Request], Awaitable[Response]]:
    match entry.method, bool(entry.resource_id):
        case "POST", _:
            return writing.create
        case "PUT", True:
            return writing.update
        case "PUT", False:
            return writing.update_matching
        case "PATCH", True:
            return writing.patch
        case "PATCH", False:
            return writing.patch_matching
        case "DELETE", True:
            return writing.delete
        case "DELETE", False:
            return writing.delete_matching
        case _, False:
            return search_by_address
    if entry.history.count("/") > 1:
        return reading.read_version
    return reading.read_history if entry.history else reading.read


def _as_request(request: Request, entry: Entry) -> Request:
    """Return the request that an entry stands for, made by the same caller."""
    kind, body = _content(entry)
    said = [(name.encode(), value.encode("latin-1", "replace")) for name, value in entry.headers.items()]
    kept = [each for each in request.headers.raw if each[0] in _PASSED_ON]
    version = entry.history.rpartition("/")[2]
    scope = {
        **request.scope,
        "method": entry.method,
        "path": f"/fhir{entry.path}",
        "raw_path": None,
        "root_path": "",
        "query_string": quote(entry.query, safe=_SAID).encode(),
        "headers": [*kept, *said, (b"content-type", kind.encode("latin-1", "replace"))],
        "path_params": {"resource_type": entry.resource_type, "resource_id": entry.resource_id, "version": version},
    }

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    return Request(scope, receive)


def _content(entry: Entry) -> tuple[str, bytes]:
    if entry.method == "PATCH":
        return carried(entry.resource or {})
    return FHIR_JSON, b"" if entry.resource is None else dumps(entry.resource)


def _written(base: str, done: Done, wanted: answering.Return) -> Json:
    headers = {} if done.found is None else answering.headers_of(base, done.found)
    response: Json = {"etag": headers["ETag"]} if headers else {}
    if headers and done.wish.resource is not None:
        response["location"] = headers["Location"]
    if done.found is not None:
        response["lastModified"] = instant(done.found.recorded_at)
    if wanted == "OperationOutcome":
        response["outcome"] = answering.told(done)
    answer = _answer(answering.status_of(done), response)
    if wanted == "representation" and done.found is not None and done.wish.resource is not None:
        answer["resource"] = orjson.Fragment(done.found.body)
    return answer


def _told(response: Response) -> Json:
    names = {"location": "location", "etag": "etag"}
    said = {name: response.headers[header] for name, header in names.items() if header in response.headers}
    answer = _answer(response.status_code, said)
    if response.body:
        answer["resource"] = orjson.Fragment(bytes(response.body))
    return answer


def _refused(error: WholechartError) -> Json:
    status, told = outcome_of(error)
    return _answer(status, {"outcome": told})


def _answer(status: int, response: Json) -> Json:
    return {"response": {"status": f"{status} {HTTPStatus(status).phrase}", **response}}
