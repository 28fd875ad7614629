"""An example of every route that touches patients' data: who may ask, with what, and whom it is about.

`test_route_walk.py` walks them. A route that is neither here nor among those that touch nobody's data fails it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final, Literal, TypeAlias

from hub_core.access import Role
from hub_core.fhir.canonical import Json
from tests.integration.hub_api.hub import observation
from tests.integration.hub_api.practice import JPEG, Practice, at_nine, today

Route: TypeAlias = tuple[str, str]
WHY: Final = "because this test asks for it"
FIRST: Final = 30
"""Days ahead of the first visit that is booked here."""


@dataclass(frozen=True, slots=True)
class Example:
    """One request that is answered with a patient's data, or changes it."""

    role: Role
    body: Any = None
    query: Mapping[str, str] = field(default_factory=dict)
    path: str = ""
    """With what stands in the template for its parameters, where their names are not those of `Things`."""
    elsewhere: Literal["refused", "nothing"] = "refused"
    """What the same role at another location gets: a refusal with the patient on record, or none of their data."""


class Things(dict[str, Any]):
    """What a request names, made when it is first asked for: a patient of the north, their visit, their coverage."""

    def __init__(self, practice: Practice, number: int) -> None:
        super().__init__()
        self._practice = practice
        self.number = number

    def __missing__(self, name: str) -> Any:
        short = name.removesuffix("_id")
        made = self[short] if short != name else _MAKERS[name](self._practice, self)
        self[name] = made
        return made

    @property
    def start(self) -> Any:
        """Return a time nobody else books."""
        return at_nine(FIRST + self.number)

    def filled(self, value: Any) -> Any:
        """Return a path or a body with the things in it."""
        if isinstance(value, str):
            return value.format_map(self)
        if isinstance(value, dict):
            return {key: self.filled(each) for key, each in value.items()}
        return [self.filled(each) for each in value] if isinstance(value, list) else value


def _patient(practice: Practice, things: Things) -> str:
    made = practice.registered()
    things["version"] = made["version"]
    things["mrn"] = made["mrn"]
    practice.hub.record(observation({"id": made["patient_id"]}), source="lab", location="northgate")
    return str(made["patient_id"])


def _visit(practice: Practice, things: Things) -> str:
    return str(practice.booked({"patient_id": things["patient"]}, things.start)["appointment_id"])


def _person(practice: Practice, things: Things) -> str:
    query = "SELECT person_id FROM person_member WHERE patient_id = %s AND valid_to IS NULL"
    return str(practice.rows(query, things["patient"])[0][0])


def _other(practice: Practice, _: Things) -> str:
    return str(practice.registered("Okafor", "Adah")["patient_id"])


def _merge(practice: Practice, things: Things) -> str:
    told = {"survivor_id": things["patient"], "merged_id": things["other"], "reason": WHY}
    return str(practice.works("privacy_officer").post("/merges", told).json()["merge_id"])


def _coverage(practice: Practice, things: Things) -> str:
    return str(practice.insured({"patient_id": things["patient"]})["coverage_id"])


def _carded(practice: Practice, things: Things) -> str:
    path = f"/api/practice/coverages/{things['coverage']}/cards/front"
    kept = practice.works("front_desk").client.put(path, content=JPEG, headers={"Content-Type": "image/jpeg"})
    assert kept.status_code < 300, kept.text
    return str(things["coverage"])


def _ended(practice: Practice, things: Things) -> str:
    path = f"/coverages/{things['coverage']}/end"
    assert practice.works("front_desk").post(path, {"last_day": today().isoformat()}).status_code == 200
    return str(things["coverage"])


def _entry(practice: Practice, things: Things) -> str:
    told = things.filled(WAITING)
    return str(practice.works("front_desk").post("/waitlist", told).json()["entry_id"])


def _series(practice: Practice, things: Things) -> str:
    made = practice.works("front_desk").post("/appointment-series", things.filled(SERIES)).json()
    things["visit"] = made[0]["appointment_id"]
    return str(made[0]["series_id"])


def _reminder(practice: Practice, things: Things) -> str:
    query = "SELECT reminder_id FROM reminder WHERE appointment_id = %s"
    practice.rows("UPDATE reminder SET state = 'failed' WHERE appointment_id = %s RETURNING 1", things["visit"])
    return str(practice.rows(query, things["visit"])[0][0])


def _grant(practice: Practice, things: Things) -> str:
    told = {"patient_id": things["patient"], "reason": WHY}
    return str(practice.works("clinician", "southgate").post("/emergencies", told).json()["grant_id"])


def _member(practice: Practice, things: Things) -> str:
    told = {"patient_id": things["patient"], "principal_id": things["colleague"]}
    return str(practice.works("clinician").post("/care-teams", told).json()["member_id"])


def _tag(practice: Practice, things: Things) -> str:
    told = {"kind": "minor", "reason": WHY}
    path = f"/patients/{things['patient']}/sensitivity"
    return str(practice.works("privacy_officer").post(path, told).json()["tag_id"])


def _link(practice: Practice, things: Things) -> str:
    path = f"/patients/{things['patient']}/portal"
    made = practice.works("front_desk").post(path, things.filled(PORTAL_USER))
    assert made.status_code == 201, made.text
    return str(made.json()["link_id"])


def _result(practice: Practice, things: Things) -> str:
    made = practice.works("clinician").client.post(
        "/fhir/Observation", json=things.filled(_OBSERVATION), headers={"Content-Type": "application/fhir+json"}
    )
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


def _event(practice: Practice, things: Things) -> str:
    query = "SELECT event_id FROM audit_event WHERE patient_id = %s AND location = 'northgate' LIMIT 1"
    return str(practice.rows(query, things["patient"])[0][0])


def _held(practice: Practice, things: Things) -> str:
    body = things.filled(VISIT)
    return str(practice.works("front_desk").post("/appointments/hold", body).json()["appointment_id"])


_MAKERS: Final[Mapping[str, Callable[[Practice, Things], Any]]] = {
    "patient": _patient,
    "version": lambda _, things: (things["patient"], things["version"])[1],
    "mrn": lambda _, things: (things["patient"], things["mrn"])[1],
    "visit": _visit,
    "appointment": _visit,
    "held": _held,
    "person": _person,
    "other": _other,
    "merge": _merge,
    "coverage": _coverage,
    "carded": _carded,
    "ended": _ended,
    "entry": _entry,
    "series": _series,
    "reminder": _reminder,
    "grant": _grant,
    "colleague": lambda practice, _: str(practice.works("medical_assistant").principal_id),
    "member": _member,
    "tag": _tag,
    "link": _link,
    "event": _event,
    "result": _result,
    "location": lambda practice, _: str(practice.north.location_id),
    "type": lambda practice, _: str(practice.visit_type_id),
    "payer": lambda practice, _: str(practice.payer_id),
    "clinician": lambda practice, _: str(practice.north.clinicians[0]),
    "start": lambda _, things: things.start.isoformat(),
    "day": lambda _, things: things.start.date().isoformat(),
    "later": lambda _, things: (things.start + timedelta(hours=2)).isoformat(),
    "weekly": lambda _, things: (things.start + timedelta(hours=3, minutes=30 * (things.number % 7))).isoformat(),
    "today": lambda _, __: today().isoformat(),
}
PERSON: Final[Json] = {"family": "Okafor", "given": "Ada", "birth_date": "1980-04-02", "gender": "female"}
VISIT: Final[Json] = {
    "patient_id": "{patient}",
    "location_id": "{location}",
    "visit_type_id": "{type}",
    "bookable_ids": ["{clinician}"],
    "local_start": "{start}",
}
SERIES: Final[Json] = {"first": {**VISIT, "local_start": "{weekly}"}, "rrule": "FREQ=WEEKLY;COUNT=2"}
WAITING: Final[Json] = {
    "patient_id": "{patient}",
    "location_id": "{location}",
    "visit_type_id": "{type}",
    "not_before": "{today}",
    "not_after": (date(2026, 1, 1) + timedelta(days=3650)).isoformat(),
}
PORTAL_USER: Final[Json] = {"name": "p{mrn}", "relation": "self"}
_CONSENT: Final[Json] = {"kind": "treatment", "state": "given", "effective_on": "{today}"}
_ADDRESS: Final[Json] = {"line": "1 Main St", "city": "Minneapolis", "state": "MN", "postal_code": "55401"}
_COVERAGE: Final[Json] = {"payer_id": "{payer}", "member_id": "M1", "starts": "2026-01-01"}
_API: Final = "/api/practice"
_DESK: Final = Example("front_desk")
_DOCTOR: Final = Example("clinician")
_OFFICER: Final = Example("privacy_officer")
_OBSERVATION: Final[Json] = {
    "resourceType": "Observation",
    "status": "final",
    "code": {"text": "Glucose"},
    "subject": {"reference": "Patient/{patient}"},
}
_TRANSACTION: Final[Json] = {
    "resourceType": "Bundle",
    "type": "transaction",
    "entry": [{"resource": _OBSERVATION, "request": {"method": "POST", "url": "Observation"}}],
}
_FHIR_PATIENT: Final = "/fhir/Patient/{patient}"

ABOUT_PATIENTS: Final[Mapping[Route, Example]] = {
    # FHIR
    ("GET", "/fhir/AuditEvent"): Example("privacy_officer", query={"patient": "{patient}"}, elsewhere="nothing"),
    ("POST", "/fhir/AuditEvent/_search"): Example("privacy_officer", {"patient": "{patient}"}, elsewhere="nothing"),
    ("GET", "/fhir/AuditEvent/{resource_id}"): Example(
        "privacy_officer", path="/fhir/AuditEvent/{event}", elsewhere="nothing"
    ),
    ("GET", "/fhir/{resource_type}"): Example(
        "clinician", path="/fhir/Observation", query={"patient": "{patient}"}, elsewhere="nothing"
    ),
    ("POST", "/fhir/{resource_type}/_search"): Example(
        "clinician", {"patient": "{patient}"}, path="/fhir/Observation/_search", elsewhere="nothing"
    ),
    ("GET", "/fhir/{resource_type}/{resource_id}"): Example("clinician", path=_FHIR_PATIENT),
    ("POST", "/fhir"): Example("clinician", _TRANSACTION),
    ("POST", "/fhir/"): Example("clinician", _TRANSACTION),
    ("POST", "/fhir/{resource_type}"): Example("clinician", _OBSERVATION, path="/fhir/Observation"),
    ("PUT", "/fhir/{resource_type}"): Example("clinician", _OBSERVATION, {"_id": "{result}"}, path="/fhir/Observation"),
    ("DELETE", "/fhir/{resource_type}"): Example(
        "clinician", query={"_id": "{result}"}, path="/fhir/Observation", elsewhere="nothing"
    ),
    ("PUT", "/fhir/{resource_type}/{resource_id}"): Example(
        "clinician", {**_OBSERVATION, "id": "{result}"}, path="/fhir/Observation/{result}"
    ),
    ("DELETE", "/fhir/{resource_type}/{resource_id}"): Example("clinician", path="/fhir/Observation/{result}"),
    ("GET", "/fhir/_history"): Example("clinician", elsewhere="nothing"),
    ("GET", "/fhir/{resource_type}/_history"): Example("clinician", path="/fhir/Patient/_history", elsewhere="nothing"),
    ("GET", "/fhir/{resource_type}/{resource_id}/_history"): Example("clinician", path=f"{_FHIR_PATIENT}/_history"),
    ("GET", "/fhir/{resource_type}/{resource_id}/_history/{version}"): Example(
        "clinician", path=f"{_FHIR_PATIENT}/_history/1"
    ),
    ("GET", "/fhir/Patient/{resource_id}/$everything"): Example("clinician", path=f"{_FHIR_PATIENT}/$everything"),
    ("POST", "/fhir/Patient/{resource_id}/$everything"): Example("clinician", path=f"{_FHIR_PATIENT}/$everything"),
    # People across sources
    ("POST", "/api/people/search"): Example("front_desk", {"identifier": "{mrn}"}, elsewhere="nothing"),
    ("GET", "/api/people/{person_id}/chart"): _DOCTOR,
    # The desk, for programs
    ("POST", f"{_API}/patients/search"): Example("front_desk", {"number": "{mrn}"}, elsewhere="nothing"),
    ("POST", f"{_API}/patients"): Example(
        "front_desk",
        {"patient": {**PERSON, "home_location_id": "{location}"}, "despite": WHY},
        elsewhere="nothing",
    ),
    ("GET", f"{_API}/patients/{{patient_id}}"): _DESK,
    ("PUT", f"{_API}/patients/{{patient_id}}"): Example("front_desk", PERSON),
    ("POST", f"{_API}/patients/{{patient_id}}/addresses"): Example("front_desk", _ADDRESS),
    ("PUT", f"{_API}/patients/{{patient_id}}/contacts"): Example(
        "front_desk", [{"kind": "mobile", "value": "612-555-0100"}]
    ),
    ("GET", f"{_API}/patients/{{patient_id}}/related"): _DESK,
    ("POST", f"{_API}/patients/{{patient_id}}/related"): Example(
        "front_desk", {"relationship": "spouse", "family": "Okafor", "given": "Bo"}
    ),
    ("GET", f"{_API}/patients/{{patient_id}}/consents"): _DESK,
    ("POST", f"{_API}/patients/{{patient_id}}/consents"): Example("front_desk", _CONSENT),
    ("POST", f"{_API}/merges"): Example(
        "privacy_officer", {"survivor_id": "{patient}", "merged_id": "{other}", "reason": WHY}
    ),
    ("POST", f"{_API}/merges/{{merge_id}}/undo"): _OFFICER,
    ("GET", f"{_API}/patients/{{patient_id}}/coverages"): _DESK,
    ("POST", f"{_API}/patients/{{patient_id}}/coverages"): Example("front_desk", _COVERAGE),
    ("POST", f"{_API}/coverages/{{coverage_id}}/end"): Example("front_desk", {"last_day": "{today}"}),
    ("POST", f"{_API}/coverages/{{coverage_id}}/take-back"): Example("front_desk", {"reason": WHY}),
    ("PUT", f"{_API}/coverages/{{coverage_id}}/cards/{{side}}"): Example(
        "front_desk", JPEG, path=f"{_API}/coverages/{{coverage}}/cards/front"
    ),
    ("GET", f"{_API}/coverages/{{coverage_id}}/cards/{{side}}"): Example(
        "front_desk", path=f"{_API}/coverages/{{carded}}/cards/front"
    ),
    ("POST", f"{_API}/coverages/{{coverage_id}}/eligibility"): Example("front_desk", {"on": "{today}"}),
    ("GET", f"{_API}/locations/{{location_id}}/day"): Example(
        "front_desk", query={"on": "{day}", "with": "{visit}"}, elsewhere="nothing"
    ),
    ("POST", f"{_API}/appointments"): Example("front_desk", VISIT),
    ("POST", f"{_API}/appointments/hold"): Example("front_desk", VISIT),
    ("GET", f"{_API}/appointments/{{appointment_id}}"): _DESK,
    ("GET", f"{_API}/patients/{{patient_id}}/appointments"): _DESK,
    ("POST", f"{_API}/appointments/{{appointment_id}}/cancel"): Example("front_desk", {"reason": WHY}),
    ("POST", f"{_API}/appointments/{{appointment_id}}/reschedule"): Example(
        "front_desk", {"to": {**VISIT, "local_start": "{later}"}, "reason": WHY}
    ),
    ("POST", f"{_API}/appointments/{{appointment_id}}/{{step}}"): Example(
        "front_desk", path=f"{_API}/appointments/{{visit}}/confirm"
    ),
    ("POST", f"{_API}/appointment-series"): Example("front_desk", SERIES),
    ("GET", f"{_API}/locations/{{location_id}}/waitlist"): Example(
        "front_desk", query={"with": "{entry}"}, elsewhere="nothing"
    ),
    ("POST", f"{_API}/waitlist"): Example("front_desk", WAITING),
    ("POST", f"{_API}/waitlist/{{entry_id}}/withdraw"): _DESK,
    ("GET", f"{_API}/patients/{{patient_id}}/portal"): _DESK,
    ("POST", f"{_API}/patients/{{patient_id}}/portal"): Example("front_desk", PORTAL_USER),
    ("POST", f"{_API}/portal/{{link_id}}/invite"): _DESK,
    ("POST", f"{_API}/portal/{{link_id}}/end"): _DESK,
    ("POST", f"{_API}/emergencies"): Example(
        "clinician", {"patient_id": "{patient}", "reason": WHY}, elsewhere="nothing"
    ),
    ("GET", f"{_API}/emergencies"): Example("privacy_officer", query={"with": "{grant}"}, elsewhere="nothing"),
    ("POST", f"{_API}/emergencies/{{grant_id}}/review"): Example("privacy_officer", {"finding": "justified"}),
    ("POST", f"{_API}/care-teams"): Example("clinician", {"patient_id": "{patient}", "principal_id": "{colleague}"}),
    ("POST", f"{_API}/care-teams/{{member_id}}/leave"): _DOCTOR,
    ("GET", f"{_API}/patients/{{patient_id}}/disclosures"): _OFFICER,
    ("POST", f"{_API}/patients/{{patient_id}}/disclosures"): Example(
        "privacy_officer", {"recipient": "a court", "description": "the chart", "purpose": "judicial"}
    ),
    ("GET", f"{_API}/patients/{{patient_id}}/sensitivity"): _OFFICER,
    ("POST", f"{_API}/patients/{{patient_id}}/sensitivity"): Example(
        "privacy_officer", {"kind": "minor", "reason": WHY}
    ),
    ("POST", f"{_API}/sensitivity/{{tag_id}}/end"): Example("privacy_officer", {"reason": WHY}),
    # Pages
    ("GET", "/work"): Example("front_desk", query={"day": "{day}", "with": "{visit}"}, elsewhere="nothing"),
    ("GET", "/work/calendar"): Example("front_desk", query={"first": "{day}", "with": "{visit}"}, elsewhere="nothing"),
    ("POST", "/work/find"): Example("front_desk", {"number": "{mrn}"}, elsewhere="nothing"),
    ("POST", "/work/register"): Example("front_desk", {**PERSON, "despite": WHY, **_ADDRESS}, elsewhere="nothing"),
    ("GET", "/work/patients/{patient_id}"): _DESK,
    ("GET", "/work/patients/{patient_id}/correct"): _DESK,
    ("POST", "/work/patients/{patient_id}/correct"): Example("front_desk", {}),
    ("GET", "/work/patients/{patient_id}/coverages"): _DESK,
    ("POST", "/work/patients/{patient_id}/coverages"): Example("front_desk", {}),
    ("GET", "/work/coverages/{coverage_id}/cards"): _DESK,
    ("GET", "/work/coverages/{coverage_id}/cards/{side}"): Example(
        "front_desk", path="/work/coverages/{carded}/cards/front"
    ),
    ("POST", "/work/coverages/{coverage_id}/cards/{side}"): Example(
        "front_desk", JPEG, path="/work/coverages/{coverage}/cards/front"
    ),
    ("GET", "/work/patients/{patient_id}/book"): _DESK,
    ("POST", "/work/patients/{patient_id}/book"): Example("front_desk", {}),
    ("GET", "/work/patients/{patient_id}/waitlist"): _DESK,
    ("POST", "/work/patients/{patient_id}/waitlist"): Example("front_desk", {}),
    ("GET", "/work/patients/{patient_id}/portal"): _DESK,
    ("POST", "/work/patients/{patient_id}/portal"): Example("front_desk", {}),
    ("POST", "/work/portal/{link_id}/invite"): Example("front_desk", {}),
    ("POST", "/work/portal/{link_id}/end"): Example("front_desk", {}),
    ("GET", "/work/patients/{patient_id}/chart"): _DOCTOR,
    ("GET", "/work/patients/{patient_id}/audit"): _OFFICER,
    ("GET", "/work/patients/{patient_id}/audit/table"): _OFFICER,
    ("GET", "/work/patients/{patient_id}/disclosures"): _OFFICER,
    ("GET", "/work/series/{series_id}"): _DESK,
    ("POST", "/work/series/{series_id}"): Example("front_desk", {"from": "{visit}", "what": "cancel", "reason": WHY}),
    ("GET", "/work/waitlist"): Example("front_desk", query={"with": "{entry}"}, elsewhere="nothing"),
    ("POST", "/work/waitlist/{entry_id}/book"): Example("front_desk", {}),
    ("POST", "/work/waitlist/{entry_id}/withdraw"): Example("front_desk", {}),
    ("GET", "/work/reminders"): Example(
        "front_desk", query={"with": "{reminder}", "state": "failed"}, elsewhere="nothing"
    ),
    ("POST", "/work/reminders/{reminder_id}/again"): Example("front_desk", {}),
    ("GET", "/work/appointments/{appointment_id}"): _DESK,
    ("GET", "/work/appointments/{appointment_id}/move"): _DESK,
    ("POST", "/work/appointments/{appointment_id}/move"): Example("front_desk", {}),
    ("GET", "/work/appointments/{appointment_id}/check-in"): _DESK,
    ("POST", "/work/appointments/{appointment_id}/check-in"): Example("front_desk", {}),
    ("POST", "/work/appointments/{appointment_id}/{step}"): Example(
        "front_desk", {}, path="/work/appointments/{visit}/confirm"
    ),
    ("POST", "/work/emergency"): Example("clinician", {"patient": "{patient}", "reason": WHY}, elsewhere="nothing"),
    ("GET", "/work/emergencies"): Example("privacy_officer", query={"with": "{grant}"}, elsewhere="nothing"),
    ("POST", "/work/emergencies/{grant_id}/review"): Example("privacy_officer", {"finding": "justified"}),
}
"""`with` in a query is read by nobody: it makes the thing that the answer is to show."""
