"""Every route that touches patients' data leaves an event with the patient, durable before its answer; refusals too."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import httpx
import pytest

from hub_api.security.policy import RULES
from tests.integration.hub_api.hub import Hub
from tests.integration.hub_api.practice import Practice, Worker
from tests.integration.hub_api.test_access import routes
from tests.integration.hub_api.walking import ABOUT_PATIENTS, Example, Route, Things

ELSEWHERE = {
    ("POST", "/api/marts/{mart}/rows"): "test_marts",
    ("POST", "/api/marts/{mart}/trace"): "test_marts",
    ("POST", "/ingest/{feed}"): "test_ingest",
    ("GET", "/my"): "test_portal",
    ("GET", "/my/{patient_id}"): "test_portal",
}
"""Routes about patients that need more than a practice: walked by tests of their own, named here."""

NOBODYS = (
    "/login", "/logout", "/welcome", "/health", "/static", "/favicon.ico", "/fhir/metadata", "/api/session",
    "/api/openapi.json", "/api/feeds", "/api/tokens", "/api/practice/visit-types", "/api/practice/bookables",
    "/api/practice/schedule-", "/api/practice/organizations", "/api/practice/chart-groups", "/api/practice/locations",
    "/api/practice/findings", "/api/practice/rooms", "/api/practice/departments", "/api/practice/payers",
    "/api/practice/staff", "/api/practice/identities", "/api/practice/principals", "/api/practice/roles",
    "/api/practice/programs", "/api/practice/second-factor", "/work/users", "/work/roles", "/work/drafts",
    "/work/locations", "/work/payers", "/work/rooms", "/work/programs", "/work/identities", "/work/organisation",
    "/work/schedule", "/work/second-factor",
)  # fmt: skip
"""Beginnings of the addresses that know no patient: who works here, how the group is run, what can be booked."""
FORMS = {("GET", "/"), ("GET", "/work/find"), ("GET", "/work/register"), ("GET", "/work/emergency")}
"""Empty forms, before anybody is named."""
REFUSED = {
    ("GET", "/fhir/"),
    ("PATCH", "/fhir/{resource_type}"),
    ("PATCH", "/fhir/{resource_type}/{resource_id}"),
}
"""What FHIR has and this server does not do, for anybody."""


def is_nobodys(route: Route) -> bool:
    template = route[1]
    return route in FORMS or route in REFUSED or template.startswith(NOBODYS)


def ask(worker: Worker, route: Route, example: Example, things: Things) -> httpx.Response:
    method, template = route
    path = things.filled(example.path or template)
    body, query = things.filled(example.body), things.filled(dict(example.query))
    is_held = method == "PUT" and "version" in things and not path.startswith("/fhir/")
    headers = {"If-Match": f'"{things["version"]}"'} if is_held else {}
    sent: dict[str, Any] = {}
    if isinstance(body, bytes) and path.startswith("/work/"):
        sent = {"files": {"image": ("card.jpg", body, "image/jpeg")}}
    elif isinstance(body, bytes):
        sent, headers = {"content": body}, {"Content-Type": "image/jpeg"}
    elif body is not None:
        is_form = path.startswith("/work") or path.endswith("_search")
        sent = {"data": body} if is_form else {"json": body}
    return worker.client.request(method, path, params=query, headers=headers, **sent)


def written(hub: Hub, worker: Worker, after: int) -> list[tuple[str, UUID | None]]:
    """Return outcome and patient of the events of somebody since the first `after` of all."""
    return hub.query(
        "SELECT outcome, patient_id FROM (SELECT * FROM audit_event ORDER BY recorded_at, event_id OFFSET %s) AS new"
        " WHERE principal_id = %s",
        (after, worker.principal_id),
    )


def count(hub: Hub) -> int:
    return int(hub.query("SELECT count(*) FROM audit_event")[0][0])


def test_every_route_has_an_example_or_touches_nobodys_data(hub: Hub) -> None:
    found = set(routes(list(hub.app.routes)))
    without = {route for route in found if route not in ABOUT_PATIENTS and route not in ELSEWHERE}
    assert {route for route in without if not is_nobodys(route)} == set()
    assert set(ABOUT_PATIENTS) <= found
    assert set(ELSEWHERE) <= found


@pytest.mark.slow
def test_every_route_about_patients_is_on_record_for_who_may_and_for_who_may_not(practice: Practice, hub: Hub) -> None:
    faults: list[str] = []
    for number, (route, example) in enumerate(ABOUT_PATIENTS.items()):
        things = Things(practice, number)
        patient = UUID(things["patient"])
        things.filled(
            [example.path or route[1], example.body if isinstance(example.body, dict) else "", *example.query.values()]
        )
        faults += [f"{route}: {fault}" for fault in walk(practice, hub, route, example, things, patient)]
    assert not faults, "\n".join(faults)


def walk(practice: Practice, hub: Hub, route: Route, example: Example, things: Things, patient: UUID) -> list[str]:
    """Return what is wrong with the trail of one route."""
    faults = []
    nobody, elsewhere = practice.works("interface"), practice.works(example.role, "southgate")
    before = count(hub)
    answer = ask(nobody, route, example, things)
    events = written(hub, nobody, before)
    is_open = RULES[route] == "authenticated"  # a page that shows those without a role that they have none
    if not is_open and (answer.status_code != 403 or [each[0] for each in events] != ["refused"]):
        faults.append(f"who has no role for it got {answer.status_code}, {events}")
    if "{patient_id}" in route[1] and events[0][1] != patient:
        faults.append("the refusal does not name the patient whom the address names")
    if not makes_its_own(route):
        before = count(hub)
        answer = ask(elsewhere, route, example, things)
        events = written(hub, elsewhere, before)
        if example.elsewhere == "refused" and (answer.status_code != 403 or ("refused", patient) not in events):
            faults.append(f"the same role elsewhere got {answer.status_code}, {events}")
        named = f"Patient/{patient}" if "/fhir/" in route[1] else str(patient)
        if example.elsewhere == "nothing" and named in answer.text:
            faults.append("the same role elsewhere sees the patient")
    worker = practice.works(example.role)
    before = count(hub)
    answer = ask(worker, route, example, things)
    events = written(hub, worker, before)
    if answer.status_code in (400, 403, 404, 405) or answer.status_code >= 500:
        faults.append(f"who may got {answer.status_code}: {answer.text[:300]}")
    is_named = any(each == ("success", patient) for each in events)
    if not is_named and not (makes_its_own(route) and any(each[1] for each in events)):
        faults.append(f"no event with the patient, {answer.status_code}: {events}")
    return faults


def makes_its_own(route: Route) -> bool:
    """Return whether a route makes the patient it is about, or opens what is closed."""
    return route[1] in ("/api/practice/patients", "/work/register", "/api/practice/emergencies", "/work/emergency")
