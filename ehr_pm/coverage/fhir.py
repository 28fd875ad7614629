"""Coverages as FHIR R4, and what payers answered about them."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from ehr_pm.coverage.models import Coverage, EligibilityCheck
from hub_core.clock import instant
from hub_core.fhir.canonical import Json

_RELATIONSHIP: Final = "http://terminology.hl7.org/CodeSystem/subscriber-relationship"
_CLASS: Final = "http://terminology.hl7.org/CodeSystem/coverage-class"
_IN_WORDS: Final = {
    "active": "the payer says the coverage holds",
    "inactive": "the payer says the coverage does not hold",
    "unknown": "the payer does not say whether the coverage holds",
    "failed": "the payer could not be asked",
}


def coverage(row: Coverage) -> Json:
    """Return a coverage as Coverage."""
    period = {"start": row.valid.lower.isoformat()} if row.valid.lower else {}
    if row.valid.upper:
        period["end"] = (row.valid.upper - timedelta(days=1)).isoformat()
    classes = [("group", row.group_number), ("plan", row.plan_name)]
    resource: Json = {
        "resourceType": "Coverage",
        "id": str(row.coverage_id),
        "status": "active" if row.is_active else "cancelled",
        "subscriberId": row.member_id,
        "beneficiary": {"reference": f"Patient/{row.patient_id}"},
        "relationship": {"coding": [{"system": _RELATIONSHIP, "code": row.relationship_}]},
        "period": period,
        "payor": [{"reference": f"Organization/{row.payer_id}", "display": row.payer.name}],
        "class": [
            {"type": {"coding": [{"system": _CLASS, "code": kind}]}, "value": value} for kind, value in classes if value
        ],
        "order": row.rank,
    }
    if row.relationship_ == "self":
        resource["subscriber"] = {"reference": f"Patient/{row.patient_id}"}
    elif row.subscriber_family:
        resource["subscriber"] = {"display": f"{row.subscriber_given} {row.subscriber_family}"}
    return {name: value for name, value in resource.items() if value not in ([], {})}


def answer(row: EligibilityCheck) -> Json:
    """Return a payer's answer as CoverageEligibilityResponse."""
    insurance: Json = {"coverage": {"reference": f"Coverage/{row.coverage_id}"}}
    if row.state in ("active", "inactive"):
        insurance["inforce"] = row.state == "active"
    return {
        "resourceType": "CoverageEligibilityResponse",
        "id": str(row.check_id),
        "status": "active",
        "purpose": ["validation", "benefits"],
        "patient": {"reference": f"Patient/{row.patient_id}"},
        "servicedDate": row.requested_for.isoformat(),
        "created": instant(row.answered_at or row.asked_at),
        "request": {"display": row.control_number},
        "outcome": "error" if row.state == "failed" else "complete",
        "disposition": f"{_IN_WORDS[row.state]} ({row.reason})" if row.reason else _IN_WORDS[row.state],
        "insurer": {"reference": f"Organization/{row.coverage.payer_id}", "display": row.coverage.payer.name},
        "insurance": [insurance],
    }
