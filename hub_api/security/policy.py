"""The one table of who may use which route: everybody, whoever is known, or whoever may do an action somewhere.

Deny by default: a route that is not in the table is nobody's. What of the data a route then shows is decided for each
patient and place by `hub_core.access`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

from hub_core.access import Action
from hub_core.fhir.registry import RESOURCE_TYPES

Rule: TypeAlias = Literal["public", "authenticated", "by any type", "by resource type", "by written type"] | Action

_PUBLIC: Final = (
    ("GET", "/login"),
    ("POST", "/login"),
    ("GET", "/login/oidc"),
    ("GET", "/login/oidc/return"),
    ("POST", "/login/oidc/logout"),
    ("GET", "/welcome"),
    ("POST", "/welcome"),
    ("GET", "/health"),
    ("GET", "/health/ready"),
    ("GET", "/fhir/metadata"),
    ("GET", "/static/{name}"),
    ("GET", "/favicon.ico"),
)
"""What a stranger may ask for: nothing that knows a patient."""

RULES: Final[Mapping[tuple[str, str], Rule]] = {
    **dict.fromkeys(_PUBLIC, "public"),
    # What concerns nobody but the principal, and what the hub can do
    ("GET", "/"): "authenticated",
    ("POST", "/logout"): "authenticated",
    ("GET", "/api/session"): "authenticated",
    ("GET", "/api/openapi.json"): "authenticated",
    # FHIR: what each type needs to be read, or to be written; of a Bundle, each of its entries
    ("GET", "/fhir/AuditEvent"): "audit.read",
    ("POST", "/fhir/AuditEvent/_search"): "audit.read",
    ("GET", "/fhir/AuditEvent/{resource_id}"): "audit.read",
    ("GET", "/fhir/_history"): "by any type",
    ("GET", "/fhir/{resource_type}"): "by resource type",
    ("POST", "/fhir/{resource_type}/_search"): "by resource type",
    ("GET", "/fhir/{resource_type}/_history"): "by resource type",
    ("GET", "/fhir/{resource_type}/{resource_id}"): "by resource type",
    ("GET", "/fhir/{resource_type}/{resource_id}/_history"): "by resource type",
    ("GET", "/fhir/{resource_type}/{resource_id}/_history/{version}"): "by resource type",
    ("GET", "/fhir/Patient/{resource_id}/$everything"): "chart.read",
    ("POST", "/fhir/Patient/{resource_id}/$everything"): "chart.read",
    ("POST", "/fhir"): "authenticated",
    ("GET", "/fhir/"): "authenticated",
    ("POST", "/fhir/"): "authenticated",
    **{(method, "/fhir/{resource_type}"): "by written type" for method in ("POST", "PUT", "PATCH", "DELETE")},
    **{(method, "/fhir/{resource_type}/{resource_id}"): "by written type" for method in ("PUT", "PATCH", "DELETE")},
    # The record across sources, and what feeds bring to it
    ("POST", "/api/people/search"): "patient.read",
    ("GET", "/api/people/{person_id}/chart"): "chart.read",
    ("GET", "/api/feeds"): "feed.read",
    ("GET", "/api/feeds/{feed}/rejects"): "feed.read",
    ("POST", "/ingest/{feed}"): "message.write",
    # Numbers, the rows behind them, and whole messages behind the rows
    ("POST", "/api/marts/{mart}/rows"): "report.read",
    ("POST", "/api/marts/{mart}/trace"): "chart.read",
    # The practice's desk: who the patients are, who pays, when they come
    ("POST", "/api/practice/patients/search"): "patient.read",
    ("POST", "/api/practice/patients"): "patient.write",
    ("GET", "/api/practice/patients/{patient_id}"): "patient.read",
    ("PUT", "/api/practice/patients/{patient_id}"): "patient.write",
    ("POST", "/api/practice/patients/{patient_id}/addresses"): "patient.write",
    ("PUT", "/api/practice/patients/{patient_id}/contacts"): "patient.write",
    ("GET", "/api/practice/patients/{patient_id}/related"): "patient.read",
    ("POST", "/api/practice/patients/{patient_id}/related"): "patient.write",
    ("GET", "/api/practice/patients/{patient_id}/consents"): "patient.read",
    ("POST", "/api/practice/patients/{patient_id}/consents"): "patient.write",
    ("POST", "/api/practice/merges"): "patient.merge",
    ("POST", "/api/practice/merges/{merge_id}/undo"): "patient.merge",
    ("GET", "/api/practice/patients/{patient_id}/coverages"): "coverage.read",
    ("POST", "/api/practice/patients/{patient_id}/coverages"): "coverage.write",
    ("POST", "/api/practice/coverages/{coverage_id}/end"): "coverage.write",
    ("POST", "/api/practice/coverages/{coverage_id}/take-back"): "coverage.write",
    ("PUT", "/api/practice/coverages/{coverage_id}/cards/{side}"): "coverage.write",
    ("GET", "/api/practice/coverages/{coverage_id}/cards/{side}"): "coverage.read",
    ("POST", "/api/practice/coverages/{coverage_id}/eligibility"): "eligibility.check",
    ("GET", "/api/practice/visit-types"): "schedule.read",
    ("POST", "/api/practice/visit-types"): "schedule.write",
    ("GET", "/api/practice/locations/{location_id}/bookables"): "schedule.read",
    ("POST", "/api/practice/bookables"): "schedule.write",
    ("POST", "/api/practice/schedule-rules"): "schedule.write",
    ("POST", "/api/practice/schedule-exceptions"): "schedule.write",
    ("GET", "/api/practice/locations/{location_id}/openings"): "schedule.read",
    ("GET", "/api/practice/locations/{location_id}/day"): "schedule.read",
    ("POST", "/api/practice/appointments"): "appointment.write",
    ("POST", "/api/practice/appointments/hold"): "appointment.write",
    ("GET", "/api/practice/appointments/{appointment_id}"): "schedule.read",
    ("GET", "/api/practice/patients/{patient_id}/appointments"): "schedule.read",
    ("POST", "/api/practice/appointments/{appointment_id}/cancel"): "appointment.write",
    ("POST", "/api/practice/appointments/{appointment_id}/reschedule"): "appointment.write",
    ("POST", "/api/practice/appointments/{appointment_id}/{step}"): "appointment.write",
    ("POST", "/api/practice/appointment-series"): "appointment.write",
    ("GET", "/api/practice/locations/{location_id}/waitlist"): "schedule.read",
    ("POST", "/api/practice/waitlist"): "appointment.write",
    ("POST", "/api/practice/waitlist/{entry_id}/withdraw"): "appointment.write",
    # The pages of those who work in the practice
    ("GET", "/work"): "authenticated",
    ("GET", "/work/find"): "patient.read",
    ("POST", "/work/find"): "patient.read",
    ("GET", "/work/register"): "patient.write",
    ("POST", "/work/register"): "patient.write",
    ("GET", "/work/patients/{patient_id}"): "patient.read",
    ("GET", "/work/patients/{patient_id}/correct"): "patient.write",
    ("POST", "/work/patients/{patient_id}/correct"): "patient.write",
    ("GET", "/work/patients/{patient_id}/coverages"): "coverage.write",
    ("POST", "/work/patients/{patient_id}/coverages"): "coverage.write",
    ("GET", "/work/patients/{patient_id}/book"): "appointment.write",
    ("POST", "/work/patients/{patient_id}/book"): "appointment.write",
    ("GET", "/work/drafts/{form}"): "authenticated",
    ("PUT", "/work/drafts/{form}"): "authenticated",
    ("DELETE", "/work/drafts/{form}"): "authenticated",
    ("GET", "/work/calendar"): "schedule.read",
    ("GET", "/work/coverages/{coverage_id}/cards"): "coverage.read",
    ("GET", "/work/coverages/{coverage_id}/cards/{side}"): "coverage.read",
    ("POST", "/work/coverages/{coverage_id}/cards/{side}"): "coverage.write",
    ("GET", "/work/organisation"): "organisation.read",
    ("POST", "/work/organisation/{kind}"): "organisation.write",
    ("GET", "/work/locations/{location_id}"): "organisation.read",
    ("POST", "/work/locations/{location_id}/{what}"): "organisation.write",
    ("GET", "/work/schedule"): "schedule.read",
    ("POST", "/work/schedule/{what}"): "schedule.write",
    ("GET", "/work/second-factor"): "authenticated",
    ("POST", "/work/second-factor"): "authenticated",
    ("GET", "/work/series/{series_id}"): "schedule.read",
    ("POST", "/work/series/{series_id}"): "appointment.write",
    ("GET", "/work/waitlist"): "schedule.read",
    ("POST", "/work/waitlist/{entry_id}/book"): "appointment.write",
    ("POST", "/work/waitlist/{entry_id}/withdraw"): "appointment.write",
    ("GET", "/work/patients/{patient_id}/waitlist"): "appointment.write",
    ("POST", "/work/patients/{patient_id}/waitlist"): "appointment.write",
    ("GET", "/work/reminders"): "schedule.read",
    ("POST", "/work/reminders/{reminder_id}/again"): "appointment.write",
    ("GET", "/work/appointments/{appointment_id}"): "schedule.read",
    ("GET", "/work/appointments/{appointment_id}/move"): "appointment.write",
    ("POST", "/work/appointments/{appointment_id}/move"): "appointment.write",
    ("GET", "/work/appointments/{appointment_id}/check-in"): "appointment.write",
    ("POST", "/work/appointments/{appointment_id}/check-in"): "appointment.write",
    ("POST", "/work/appointments/{appointment_id}/{step}"): "appointment.write",
    ("GET", "/work/patients/{patient_id}/chart"): "chart.read",
    ("GET", "/work/patients/{patient_id}/audit"): "audit.read",
    ("GET", "/work/patients/{patient_id}/audit/table"): "audit.read",
    ("GET", "/work/users/{principal_id}/audit/table"): "audit.read",
    ("GET", "/work/patients/{patient_id}/disclosures"): "disclosure.read",
    ("GET", "/work/emergency"): "glass.break",
    ("POST", "/work/emergency"): "glass.break",
    ("GET", "/work/emergencies"): "glass.review",
    ("POST", "/work/emergencies/{grant_id}/review"): "glass.review",
    ("GET", "/work/users"): "user.read",
    ("POST", "/work/users"): "user.write",
    ("GET", "/work/users/{principal_id}"): "user.read",
    ("POST", "/work/users/{principal_id}/{what}"): "user.write",
    ("GET", "/work/users/{principal_id}/audit"): "audit.read",
    ("POST", "/work/roles/{assignment_id}/end"): "user.write",
    # Who sees a patient in the portal, and what they see
    ("GET", "/api/practice/patients/{patient_id}/portal"): "patient.write",
    ("POST", "/api/practice/patients/{patient_id}/portal"): "patient.write",
    ("POST", "/api/practice/portal/{link_id}/invite"): "patient.write",
    ("POST", "/api/practice/portal/{link_id}/end"): "patient.write",
    ("GET", "/work/patients/{patient_id}/portal"): "patient.write",
    ("POST", "/work/patients/{patient_id}/portal"): "patient.write",
    ("POST", "/work/portal/{link_id}/invite"): "patient.write",
    ("POST", "/work/portal/{link_id}/end"): "patient.write",
    ("GET", "/my"): "patient.read",
    ("GET", "/my/{patient_id}"): "patient.read",
    # How the group is run
    ("GET", "/api/practice/organizations"): "organisation.read",
    ("POST", "/api/practice/organizations"): "organisation.write",
    ("POST", "/api/practice/chart-groups"): "organisation.write",
    ("GET", "/api/practice/locations"): "organisation.read",
    ("POST", "/api/practice/locations"): "organisation.write",
    ("GET", "/api/practice/locations/{location_id}"): "organisation.read",
    ("PUT", "/api/practice/locations/{location_id}/hours"): "organisation.write",
    ("POST", "/api/practice/locations/{location_id}/close"): "organisation.write",
    ("PUT", "/api/practice/locations/{location_id}/masters"): "organisation.write",
    ("GET", "/api/practice/findings"): "feed.read",
    ("GET", "/api/practice/locations/{location_id}/rooms"): "organisation.read",
    ("POST", "/api/practice/rooms"): "organisation.write",
    ("POST", "/api/practice/rooms/{room_id}/close"): "organisation.write",
    ("POST", "/api/practice/departments"): "organisation.write",
    ("GET", "/api/practice/payers"): "organisation.read",
    ("POST", "/api/practice/payers"): "organisation.write",
    # Who works there and what they may do
    ("GET", "/api/practice/staff"): "user.read",
    ("POST", "/api/practice/staff"): "user.write",
    ("GET", "/api/practice/staff/{principal_id}"): "user.read",
    ("PUT", "/api/practice/staff/{principal_id}"): "user.write",
    ("POST", "/api/practice/staff/{principal_id}/password"): "user.write",
    ("GET", "/api/practice/staff/{principal_id}/identities"): "user.read",
    ("POST", "/api/practice/staff/{principal_id}/identities"): "user.write",
    ("DELETE", "/api/practice/identities/{identity_id}"): "user.write",
    ("POST", "/api/practice/principals/{principal_id}/roles"): "user.write",
    ("POST", "/api/practice/roles/{assignment_id}/end"): "user.write",
    ("POST", "/api/practice/principals/{principal_id}/deactivate"): "user.write",
    ("DELETE", "/api/practice/principals/{principal_id}/second-factor"): "user.write",
    ("POST", "/api/practice/programs"): "user.write",
    ("GET", "/api/practice/programs"): "user.write",
    ("POST", "/api/practice/programs/{principal_id}/tokens"): "user.write",
    ("POST", "/api/practice/programs/{principal_id}/tokens/{token_id}/revoke"): "user.write",
    ("POST", "/api/practice/second-factor"): "authenticated",
    ("PUT", "/api/practice/second-factor"): "authenticated",
    # Charts opened in an emergency, and who treats whom
    ("POST", "/api/practice/emergencies"): "glass.break",
    ("GET", "/api/practice/emergencies"): "glass.review",
    ("POST", "/api/practice/emergencies/{grant_id}/review"): "glass.review",
    ("POST", "/api/practice/care-teams"): "chart.write",
    ("POST", "/api/practice/care-teams/{member_id}/leave"): "chart.write",
    # To whom records were given
    ("GET", "/api/practice/patients/{patient_id}/disclosures"): "disclosure.read",
    ("POST", "/api/practice/patients/{patient_id}/disclosures"): "disclosure.write",
    # What is sensitive beyond its source's word
    ("GET", "/api/practice/patients/{patient_id}/sensitivity"): "sensitivity.write",
    ("POST", "/api/practice/patients/{patient_id}/sensitivity"): "sensitivity.write",
    ("POST", "/api/practice/sensitivity/{tag_id}/end"): "sensitivity.write",
    # Programs
    ("POST", "/api/tokens"): "user.write",
    ("DELETE", "/api/tokens/{token_id}"): "user.write",
}

PORTAL: Final = frozenset(
    {
        ("GET", "/"),
        ("POST", "/logout"),
        ("GET", "/api/session"),
        ("POST", "/api/practice/second-factor"),
        ("PUT", "/api/practice/second-factor"),
        ("GET", "/my"),
        ("GET", "/my/{patient_id}"),
        ("GET", "/api/practice/patients/{patient_id}/disclosures"),
        ("GET", "/work/patients/{patient_id}/disclosures"),
        ("GET", "/api/people/{person_id}/chart"),
        ("GET", "/fhir/_history"),
        ("GET", "/fhir/{resource_type}"),
        ("POST", "/fhir/{resource_type}/_search"),
        ("GET", "/fhir/{resource_type}/_history"),
        ("GET", "/fhir/{resource_type}/{resource_id}"),
        ("GET", "/fhir/{resource_type}/{resource_id}/_history"),
        ("GET", "/fhir/{resource_type}/{resource_id}/_history/{version}"),
        ("GET", "/fhir/Patient/{resource_id}/$everything"),
        ("POST", "/fhir/Patient/{resource_id}/$everything"),
    }
)
"""All that patients, and those whom they let see their record, may ask for: everything else is for who works here."""

_TYPES: Final[Mapping[Action, str]] = {
    "audit.read": "AuditEvent",
    "billing.read": (
        "Account ChargeItem Claim ClaimResponse ExplanationOfBenefit Invoice PaymentNotice PaymentReconciliation"
    ),
    "coverage.read": "Coverage CoverageEligibilityRequest CoverageEligibilityResponse InsurancePlan",
    "organisation.read": "Endpoint HealthcareService Location Organization Practitioner PractitionerRole",
    "patient.read": "Consent Patient Person RelatedPerson",
    "schedule.read": "Appointment AppointmentResponse Schedule Slot",
}
_ACTION_OF_TYPE: Final[Mapping[str, Action]] = {
    name: action for action, names in _TYPES.items() for name in names.split()
}
READING: Final[tuple[Action, ...]] = ("chart.read", *(action for action in _TYPES if action != "audit.read"))
"""Each of these reads some type of resource."""

_WRITTEN: Final[Mapping[Action, str]] = {
    "billing.write": _TYPES["billing.read"],
    "organisation.write": f"{_TYPES['organisation.read']} OrganizationAffiliation",
    "patient.write": "Patient",
}
_KEPT_ELSEWHERE: Final[Mapping[str, str]] = {
    **dict.fromkeys(("Appointment", "AppointmentResponse"), "visits are booked at /api/practice/appointments"),
    **dict.fromkeys(("Schedule", "Slot"), "what can be booked is kept at /api/practice/schedule-rules"),
    **dict.fromkeys(
        ("Coverage", "CoverageEligibilityRequest", "CoverageEligibilityResponse"),
        "coverages are kept at /api/practice/patients/{id}/coverages",
    ),
    "Consent": "consents are kept at /api/practice/patients/{id}/consents",
    "RelatedPerson": "related persons are kept at /api/practice/patients/{id}/related",
    **dict.fromkeys(("Linkage", "Person"), "who is the same person is said at /api/practice/merges"),
    "AuditEvent": "the audit trail is written by what happens",
}
"""Types that rows of ours decide about: beside them, a resource that no row knows would be read and not obeyed."""
_WRITTEN_BY: Final[Mapping[str, Action]] = {
    **{name: "chart.write" for name, known in RESOURCE_TYPES.items() if known.patient},
    **dict.fromkeys(("Medication", "Substance"), "chart.write"),
    **{name: action for action, names in _WRITTEN.items() for name in names.split()},
}


def rule_for(method: str, template: str) -> Rule | None:
    """Return who may use a route; None is nobody."""
    return RULES.get(("GET" if method == "HEAD" else method, template))


def is_for_portals(method: str, template: str) -> bool:
    """Return whether somebody may use a route whose every role is one of the portal's."""
    return ("GET" if method == "HEAD" else method, template) in PORTAL


def is_public(path: str) -> bool:
    """Return whether a stranger may ask for a path, whatever the method."""
    folder, _, name = path.rpartition("/")
    return path in _PUBLIC_PATHS or (folder in _PUBLIC_FOLDERS and bool(name))


def actions_for(resource_type: str) -> tuple[Action, ...]:
    """Return the actions of which one is needed to read a type of resource.

    Whoever reads charts reads all that is in them; others the types that their work needs. Who did what is in nobody's
    chart.
    """
    action = _ACTION_OF_TYPE.get(resource_type, "chart.read")
    return (action,) if action in ("chart.read", "audit.read") else (action, "chart.read")


def actions_to_ask_for(resource_type: str) -> tuple[Action, ...]:
    """Return the actions of which one is needed to ask for a type at all.

    A Provenance is made of each version of each type, for who may read that: so who reads anything may ask for it.
    """
    return READING if resource_type == "Provenance" else actions_for(resource_type)


def action_to_write(resource_type: str) -> Action | None:
    """Return the action that is needed to write a type of resource over the FHIR API; None where nobody can."""
    return None if resource_type in _KEPT_ELSEWHERE else _WRITTEN_BY.get(resource_type)


def why_not_written(resource_type: str) -> str:
    """Return why nobody can write a type of resource over the FHIR API, and where it is kept if it is."""
    return f"{resource_type} is not written here: {_KEPT_ELSEWHERE.get(resource_type, 'it is no part of a record')}"


_PUBLIC_PATHS: Final = frozenset(path for _, path in _PUBLIC if "{" not in path)
_PUBLIC_FOLDERS: Final = frozenset(path.rpartition("/")[0] for _, path in _PUBLIC if "{" in path)
