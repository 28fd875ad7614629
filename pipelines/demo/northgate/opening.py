"""Opening northgate: the administrator adds the place and its people, each logs in, and the manager makes the schedule.

What is there already is found and not made again; only passwords are new each time, as nobody keeps them.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import product
from typing import Any
from zoneinfo import ZoneInfo

import httpx

from hub_core.errors import WholechartError
from pipelines.demo.api import connect

API = "/api/practice"
_WEEKDAYS = range(1, 6)
_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Place:
    """Northgate, open: what the hub calls everything there, and whoever works there, logged in."""

    location_id: str
    zone: ZoneInfo
    payers: Mapping[str, str]
    visit_types: Mapping[str, str]
    clinicians: Mapping[str, str]
    """What can be booked of each clinician, by their log-in name."""
    people: Mapping[str, httpx.Client]
    """By log-in name."""


@contextmanager
def opened(address: str, token: str, practice: Mapping[str, Any]) -> Iterator[Place]:
    """Give northgate as `practice` describes it, opened through the API.

    Raises:
        WholechartError: if the hub does not do what opening needs.
    """
    with ExitStack() as stack:
        office = stack.enter_context(connect(address, Authorization=f"Bearer {token}"))
        body = _kept(office, "/organizations", "name", practice["organization"])["organization_id"]
        places = {each["key"]: _location(office, body, each) for each in practice["locations"]}
        here = places[practice["locations"][0]["key"]]
        for name in practice["rooms"]:
            _kept(office, f"/locations/{here}/rooms", "name", {"location_id": here, "name": name}, "/rooms")
        payers = {each["number"]: _payer(office, each) for each in practice["payers"]}
        staff = {each["name"]: _employed(office, each, places[each["location"]]) for each in practice["workers"]}
        people = {
            each["name"]: stack.enter_context(connect(address, **{"X-Location": each["location"]}))
            for each in practice["workers"]
        }
        for name, client in people.items():
            _log_in(client, name, staff[name]["password"])
        manager = people[next(each["name"] for each in practice["workers"] if each["role"] == "manager")]
        kinds = {each["key"]: _visit_type(manager, each) for each in practice["visit_types"]}
        clinicians = {
            each["name"]: _scheduled(manager, here, each, staff[each["name"]], practice)
            for each in practice["workers"]
            if each["role"] == "clinician"
        }
        yield Place(here, ZoneInfo(practice["locations"][0]["zone"]), payers, kinds, clinicians, people)


def read(answer: httpx.Response) -> Any:
    """Return what the hub answered.

    Raises:
        WholechartError: if it refused; what was told is a patient's and is not repeated.
    """
    if answer.is_error:
        raise WholechartError(f"{answer.request.method} {answer.request.url.path} was answered {answer.status_code}")
    return answer.json()


def _kept(client: httpx.Client, listed: str, key: str, told: Mapping[str, Any], added: str = "") -> dict[str, Any]:
    """Return what is listed under a name, added when it is not there."""
    found = _listed(client, listed, key, told[key])
    return found or dict(read(client.post(API + (added or listed), json=dict(told))))


def _listed(client: httpx.Client, path: str, key: str, value: str) -> dict[str, Any] | None:
    known: Iterable[dict[str, Any]] = read(client.get(API + path))
    return next((each for each in known if each[key] == value), None)


def _location(office: httpx.Client, body: str, told: Mapping[str, Any]) -> str:
    address = told["address"]
    location = {name: told[name] for name in ("key", "name", "zone", "npi", "phone")}
    location |= {"organization_id": body, "address_line": address["line"]}
    location |= {name: address[name] for name in ("city", "state", "postal_code")}
    return str(_kept(office, "/locations", "key", location)["location_id"])


def _payer(office: httpx.Client, told: Mapping[str, Any]) -> str:
    payer = {"number": told["number"], "name": told["name"], "filing_indicator": told["kind"]}
    return str(_kept(office, "/payers", "number", payer)["payer_id"])


def _employed(office: httpx.Client, told: Mapping[str, Any], location_id: str) -> dict[str, Any]:
    """Return somebody who works there, with the role they need and a first password."""
    row = _listed(office, "/staff", "name", told["name"])
    if row is None:
        given = ("name", "family", "given", "npi", "taxonomy")
        row = dict(read(office.post(f"{API}/staff", json={name: told[name] for name in given if told[name]})))
    else:
        row |= read(office.post(f"{API}/staff/{row['principal_id']}/password"))
    if not row["roles"]:
        role = {"role": told["role"], "location_id": location_id}
        read(office.post(f"{API}/principals/{row['principal_id']}/roles", json=role))
    return row


def _log_in(client: httpx.Client, name: str, first_password: str) -> None:
    """Let somebody log in and choose a password of their own."""
    form = {"name": name, "password": first_password, "new_password": secrets.token_urlsafe(24)}
    answer = client.post("/login", data=form)
    if answer.status_code != httpx.codes.SEE_OTHER:
        raise WholechartError(f"the log-in of {name} was answered {answer.status_code}")


def _visit_type(manager: httpx.Client, told: Mapping[str, Any]) -> str:
    return str(_kept(manager, "/visit-types", "key", told)["visit_type_id"])


def _scheduled(
    manager: httpx.Client, here: str, told: Mapping[str, Any], staff: Mapping[str, Any], practice: Mapping[str, Any]
) -> str:
    """Return what can be booked of a clinician, with their weekly hours and the day on which nobody is there."""
    practitioner_id = staff["practitioner_id"]
    known = _listed(manager, f"/locations/{here}/bookables", "subject_id", practitioner_id)
    if known is not None and known["rules"]:
        return str(known["bookable_id"])
    name = f"{told['given']} {told['family']}"
    bookable = {"location_id": here, "kind": "practitioner", "subject_id": practitioner_id, "name": name}
    made = known or read(manager.post(f"{API}/bookables", json=bookable))
    bookable_id = str(made["bookable_id"])
    midnight = datetime.combine(
        date.fromisoformat(practice["closed_on"]), time(), ZoneInfo(practice["locations"][0]["zone"])
    )
    away = {"starts_at": midnight.isoformat(), "ends_at": (midnight + _ONE_DAY).isoformat(), "reason": "holiday"}
    read(manager.post(f"{API}/schedule-exceptions", json={"bookable_id": bookable_id, **away}))
    for weekday, session in product(_WEEKDAYS, practice["sessions"]):
        rule = {"bookable_id": bookable_id, "weekday": weekday, "valid_from": practice["opens"], **session}
        read(manager.post(f"{API}/schedule-rules", json=rule))
    return bookable_id
