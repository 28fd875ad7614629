"""Whatever roles, places, sensitivities and care teams: no list or total shows what a decision denies one by one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any, Final
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ehr_pm.users.repository import access_of
from hub_core.access import PERMISSIONS, Access, Action, Role, Subject, decide
from hub_core.fhir.canonical import Json
from hub_core.principals import Principal
from hub_core.sensitivity import KINDS, strictest
from tests.integration.hub_api.hub import Hub
from tests.integration.hub_api.practice import Practice, Worker, today

ROLES: Final[tuple[Role, ...]] = tuple(role for role in PERMISSIONS if role not in ("patient", "third_party"))
PLACES: Final = ("northgate", "southgate")
FAMILIES: Final = ("Aalto", "Bergman", "Castillo", "Dubois")
SENSITIVITY: Final = st.none() | st.sampled_from(KINDS)


@dataclass(frozen=True)
class Visit:
    """One patient with one visit, and where they are known."""

    family: str
    patient_id: UUID
    home: str
    visit_id: str
    place: str


@pytest.mark.slow
def test_no_list_shows_or_counts_what_is_denied_one_by_one(practice: Practice, hub: Hub) -> None:
    visits = [_visit(practice, number, family) for number, family in enumerate(FAMILIES)]
    person = Principal(practice.works("clinician").principal_id, "x", "person", is_administrator=False)
    worker = practice.works("clinician")

    @given(
        roles=st.lists(st.tuples(st.sampled_from(ROLES), st.none() | st.sampled_from(PLACES)), min_size=1, max_size=2),
        patients=st.tuples(*[SENSITIVITY] * len(FAMILIES)),
        programme=st.booleans(),
        visit_type=SENSITIVITY,
        treated=st.sets(st.integers(0, len(FAMILIES) - 1)),
    )
    @settings(max_examples=20, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
    def holds(
        roles: list[tuple[Role, str | None]],
        patients: tuple[str | None, ...],
        programme: bool,
        visit_type: str | None,
        treated: set[int],
    ) -> None:
        _arrange(hub, person.principal_id, roles, visits, patients, visit_type, [visits[each] for each in treated])
        hub.query("UPDATE location SET sensitivity = %s WHERE key = 'southgate'", ("42cfr2" if programme else None,))
        with hub.installation.database.begin() as unit:
            access = access_of(unit.driver, person)
        for each, kind in zip(visits, patients, strict=True):
            at = strictest(kind, visit_type, "42cfr2" if programme and each.place == "southgate" else None)
            _look(practice, worker, access, each, kind, at)
        _counted(practice, worker, access, visits, patients, visit_type, programme)

    holds()


def _visit(practice: Practice, number: int, family: str) -> Visit:
    home, place = PLACES[number % 2], PLACES[number // 2]
    made = practice.registered(family, "Ada", at=home)
    site = practice.north if place == "northgate" else practice.south
    start = datetime.combine(today() + timedelta(days=1), time(8 + number))
    told = practice.visit(made, start, site=site)
    practice.rows("UPDATE patient SET home_location_id = %s WHERE patient_id = %s RETURNING 1", site.location_id,
                  made["patient_id"])  # fmt: skip
    booked = practice.works("front_desk", place).post("/appointments", told)
    assert booked.status_code == 201, booked.text
    waiting = {key: told[key] for key in ("patient_id", "location_id", "visit_type_id")}
    days = {"not_before": today().isoformat(), "not_after": (today() + timedelta(days=90)).isoformat()}
    assert practice.works("front_desk", place).post("/waitlist", waiting | days).status_code == 201
    home_site = practice.north if home == "northgate" else practice.south
    practice.rows("UPDATE patient SET home_location_id = %s WHERE patient_id = %s RETURNING 1", home_site.location_id,
                  made["patient_id"])  # fmt: skip
    return Visit(family, UUID(made["patient_id"]), home, booked.json()["appointment_id"], place)


def _arrange(
    hub: Hub,
    who: UUID,
    roles: list[tuple[Role, str | None]],
    visits: list[Visit],
    patients: tuple[str | None, ...],
    visit_type: str | None,
    treated: list[Visit],
) -> None:
    signed = "now() - interval '1 minute', now(), now(), 1"
    hub.query("DELETE FROM role_assignment WHERE principal_id = %s", (who,))
    hub.query("DELETE FROM care_team_member WHERE principal_id = %s", (who,))
    for role, place in roles:
        hub.query(
            "INSERT INTO role_assignment (assignment_id, principal_id, role, location_id, valid_from, created_at,"
            " changed_at, version) SELECT gen_random_uuid(), %s, %s,"
            f" (SELECT location_id FROM location WHERE key = %s), {signed}",
            (who, role, place),
        )
    for each in treated:
        hub.query(
            "INSERT INTO care_team_member (member_id, patient_id, principal_id, valid_from, created_at, changed_at,"
            f" version) SELECT gen_random_uuid(), %s, %s, {signed}",
            (each.patient_id, who),
        )
    hub.query("UPDATE visit_type SET sensitivity = %s", (visit_type,))
    for each, kind in zip(visits, patients, strict=True):
        hub.query("UPDATE patient SET sensitivity = %s WHERE patient_id = %s", (kind, each.patient_id))
        hub.query("UPDATE resource SET sensitivity = %s WHERE patient_id = %s", (kind, each.patient_id))


def _may(access: Access, action: Action, subject: Subject) -> bool:
    return decide(access, action, subject).is_allowed


def _known(each: Visit, kind: str | None) -> Subject:
    return Subject(frozenset({each.home, each.place}), each.patient_id, kind, each.home)


def _look(practice: Practice, worker: Worker, access: Access, each: Visit, kind: str | None, at: str | None) -> None:
    """Compare every list and page that may name one patient with the decisions about them and their visit."""
    may_know = _may(access, "patient.read", _known(each, kind))
    may_come = _may(access, "schedule.read", Subject(frozenset({each.place}), each.patient_id, at, each.place))
    site = practice.north if each.place == "northgate" else practice.south
    day = (today() + timedelta(days=1)).isoformat()
    found = {
        "search": worker.post("/patients/search", {"name": each.family}).text,
        "people": worker.client.post("/api/people/search", json={"name": each.family}).text,
        "page": worker.client.post("/work/find", data={"name": each.family}).text.partition("<main")[2],
    }
    for name, text in found.items():
        assert may_know or str(each.patient_id) not in text, (name, access)
    lists = {
        "day": worker.get(f"/locations/{site.location_id}/day", on=day).text,
        "waitlist": worker.get(f"/locations/{site.location_id}/waitlist").text,
        "board": worker.client.get("/work", params={"day": day, "location": each.place}).text,
        "flow": worker.client.get("/work", params={"day": day, "location": each.place, "view": "flow"}).text,
        "calendar": worker.client.get("/work/calendar", params={"day": day, "location": each.place}).text,
        "waiting": worker.client.get("/work/waitlist", params={"location": each.place}).text,
        "reminders": worker.client.get("/work/reminders", params={"location": each.place}).text,
    }
    for name, text in lists.items():
        assert may_come or (each.family not in text and str(each.patient_id) not in text), (name, access)
    if may_come:
        assert each.visit_id in lists["day"], access
    one = worker.get(f"/appointments/{each.visit_id}")
    assert (one.status_code == 200) == may_come, access
    page = worker.client.get(f"/work/patients/{each.patient_id}")
    assert (page.status_code == 200) == may_know, access
    assert may_come or each.visit_id not in page.text


def _counted(
    practice: Practice,
    worker: Worker,
    access: Access,
    visits: list[Visit],
    patients: tuple[str | None, ...],
    visit_type: str | None,
    programme: bool,
) -> None:
    """Compare totals with how many are allowed one by one."""
    day = (today() + timedelta(days=1)).isoformat()
    for site in (practice.north, practice.south):
        here = "42cfr2" if programme and site.key == "southgate" else None
        allowed = [
            each
            for each, kind in zip(visits, patients, strict=True)
            if each.place == site.key
            and _may(
                access,
                "schedule.read",
                Subject(frozenset({site.key}), each.patient_id, strictest(kind, visit_type, here), site.key),
            )
        ]
        board = worker.get(f"/locations/{site.location_id}/day", on=day)
        if board.status_code == 200:
            said: Json = board.json()
            assert sum(said["counts"].values()) == len(allowed), access
    listed: Any = worker.client.get("/fhir/Patient", params={"_total": "accurate"})
    if listed.status_code == 200:
        may = [
            each
            for each, kind in zip(visits, patients, strict=True)
            if any(_may(access, action, _known(each, kind)) for action in _READS_PATIENTS)
        ]
        assert listed.json()["total"] == len(may), access


_READS_PATIENTS: Final[tuple[Action, ...]] = ("patient.read", "chart.read")
