"""What the pages call things: states, roles, actions, codes and dates, as people at the desk say them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Final, Protocol

from hub_core.access import Action

_FIVE_MINUTES: Final = timedelta(minutes=5)


class Between(Protocol):
    """Something that begins and ends."""

    @property
    def starts(self) -> datetime:
        """Return when it begins."""

    @property
    def ends(self) -> datetime:
        """Return when it ends."""


STATES: Final[Mapping[str, str]] = {
    "hold": "Held",
    "booked": "Booked",
    "confirmed": "Confirmed",
    "arrived": "Arrived",
    "roomed": "In a room",
    "in_visit": "With clinician",
    "checked_out": "Checked out",
    "cancelled": "Cancelled",
    "noshow": "Did not come",
    "rescheduled": "Moved",
}
MARKS: Final[Mapping[str, str]] = {
    "hold": "…",
    "booked": "○",
    "confirmed": "◔",
    "arrived": "◑",
    "roomed": "◕",
    "in_visit": "●",
    "checked_out": "✓",
    "cancelled": "✕",
    "noshow": "✕",
    "rescheduled": "→",
}
"""Beside the word, so that neither colour nor reading is needed to see how far somebody has come."""

ROLES: Final[Mapping[str, str]] = {
    "administrator": "administrator",
    "manager": "practice manager",
    "front_desk": "front desk",
    "medical_assistant": "medical assistant",
    "clinician": "clinician",
    "biller": "biller",
    "analyst": "analyst",
    "privacy_officer": "privacy officer",
    "patient": "patient",
    "third_party": "third party",
    "interface": "interface",
}
_ACTIONS: Final[Mapping[Action, str]] = {
    "patient.read": "see patients",
    "patient.write": "register patients and correct who they are",
    "coverage.read": "see coverages",
    "coverage.write": "add and end coverages",
    "schedule.read": "see the schedule",
    "appointment.write": "book appointments and move them along",
    "appointment.override": "book where something is closed or taken",
    "chart.read": "read charts",
    "user.read": "see who works here and with which roles",
    "user.write": "give and end roles",
    "audit.read": "read the audit trail",
}

GENDERS: Final = {"female": "Female", "male": "Male", "other": "Other", "unknown": "Not known"}
BIRTH_SEXES: Final = {"F": "Female", "M": "Male", "UNK": "Not known"}
RACES: Final = {
    "1002-5": "American Indian or Alaska Native",
    "2028-9": "Asian",
    "2054-5": "Black or African American",
    "2076-8": "Native Hawaiian or Other Pacific Islander",
    "2106-3": "White",
    "2131-1": "Other Race",
}
ETHNICITIES: Final = {"2135-2": "Hispanic or Latino", "2186-5": "Not Hispanic or Latino"}
LANGUAGES: Final = {
    "en": "English",
    "es": "Spanish",
    "zh": "Chinese",
    "vi": "Vietnamese",
    "tl": "Tagalog",
    "ar": "Arabic",
    "fr": "French",
    "ko": "Korean",
    "ru": "Russian",
    "so": "Somali",
    "hmn": "Hmong",
}
CONSENTS: Final = {
    "treatment": "Consent to treatment",
    "privacy-notice": "Notice of privacy practices",
    "assignment-of-benefits": "Assignment of benefits",
    "exchange": "Exchange of records",
    "text-messages": "Text messages",
    "part2-disclosure": "Disclosure of substance use records",
    "portal-access": "Somebody else sees the chart in the portal",
}
CONSENT_STATES: Final = {"given": "Given", "refused": "Refused", "withdrawn": "Withdrawn"}
RELATIONSHIPS: Final = {"self": "Patient", "spouse": "Spouse", "child": "Child", "other": "Other"}
ELIGIBILITY: Final = {
    "queued": "Asked, not answered yet",
    "active": "Active",
    "inactive": "Not active",
    "unknown": "Not known",
    "failed": "Not known: the payer could not be asked",
}

REMINDERS: Final = {
    "queued": "Waiting to be sent",
    "sent": "Sent",
    "failed": "Could not be sent",
    "cancelled": "Taken back",
}


def action(name: Action) -> str:
    """Return what an action is, after "leave to"."""
    return _ACTIONS.get(name, name.replace(".", ", "))


def day(value: date) -> str:
    """Return a day as it is read aloud."""
    return f"{value:%A} {value.day} {value:%B %Y}"


def clock(value: datetime) -> str:
    """Return a time of day."""
    return f"{value.hour:02}:{value.minute:02}"


def placed(between: Between) -> str:
    """Return the classes that put something at its time of a day's column: where it begins, and how long it is."""
    starts, ends = between.starts, between.ends
    lasting = -(-(ends - starts) // _FIVE_MINUTES)
    return f"h{starts.hour} m{starts.minute // 5} H{lasting // 12} M{lasting % 12}"


def said(code: str | None, meanings: Mapping[str, str]) -> str:
    """Return what a code means, or a dash for none."""
    return "–" if code is None else meanings.get(code, code)


def age(born: date, on: date) -> str:
    """Return how old somebody is: in years, of small children in months, of newborns in days."""
    months = (on.year - born.year) * 12 + on.month - born.month - (on.day < born.day)
    if months >= 36:
        return f"{months // 12} years"
    if months >= 2:
        return f"{months} months"
    return f"{(on - born).days} days"
