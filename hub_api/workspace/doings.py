"""What the audit trail's actions are called on pages: what somebody did, after their name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_DOINGS: Final[Mapping[str, str]] = {
    "appointment.list": "listed the visits",
    "appointment.read": "read a visit",
    "audit.read": "read the audit trail",
    "chart.read": "read the whole chart",
    "consent.read": "read the consents",
    "consent.record": "noted a consent",
    "coverage.add": "added a coverage",
    "coverage.read": "read the coverages",
    "disclosure.read": "read the disclosures",
    "disclosure.record": "noted a disclosure",
    "glass.break": "opened the chart in an emergency",
    "glass.find": "looked for a patient in an emergency",
    "glass.read": "read which charts were opened",
    "glass.review": "reviewed an opened chart",
    "mart.rows": "read rows behind a number",
    "mart.trace": "traced a row to its messages",
    "patient.candidate": "was shown the patient as perhaps the same person",
    "patient.confirm": "confirmed who the patient is",
    "patient.correct": "corrected who the patient is",
    "patient.everything": "fetched everything about the patient",
    "patient.find": "found the patient",
    "patient.merge": "made one patient of two",
    "patient.read": "read the patient's page",
    "patient.register": "registered the patient",
    "patient.search": "found the patient",
    "patient.unmerge": "took a merge back",
    "people.search": "found the person",
    "request": "asked",
    "resource.history": "read the versions of a record",
    "resource.read": "read a record",
    "resource.search": "searched records",
    "schedule.read": "read the day's schedule",
    "schedule.read_day": "read the day's schedule",
    "sensitivity.end": "took off a mark of sensitivity",
    "sensitivity.read": "read what is marked sensitive",
    "sensitivity.tag": "marked as sensitive",
    "session.close": "logged out",
    "session.open": "logged in",
}


DOINGS: Final = tuple(sorted((words, code) for code, words in _DOINGS.items() if "." in code))
"""Words and actions to choose from, in the order of the words."""


def done(action: str) -> str:
    """Return what somebody did, in words; an action without any of its own reads as it is named."""
    return _DOINGS.get(action) or action.replace("_", " ").replace(".", ": ")
