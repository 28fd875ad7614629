"""An appointment as FHIR R4."""

from __future__ import annotations

from ehr_pm.scheduling.models import Appointment, Bookable
from ehr_pm.scheduling.states import FHIR_STATUS
from hub_core.clock import instant
from hub_core.fhir.canonical import Json
from hub_core.sensitivity import labelled

VISIT_TYPE = "https://wholechart.example/fhir/visit-type"
_TYPES = {"practitioner": "Practitioner", "room": "Location", "device": "Device"}


def appointment(row: Appointment, taken: list[Bookable]) -> Json:
    """Return an appointment with all who and what takes part in it."""
    status = FHIR_STATUS[row.status]
    answer = "declined" if status in ("cancelled", "noshow") else "accepted"
    actors = [
        f"Patient/{row.patient_id}",
        f"Location/{row.location_id}",
        *(f"{_TYPES[each.kind]}/{each.subject_id}" for each in taken),
    ]
    resource: Json = {
        "resourceType": "Appointment",
        "id": str(row.appointment_id),
        "status": status,
        "serviceType": [{"coding": [{"system": VISIT_TYPE, "code": row.visit_type.key}], "text": row.visit_type.name}],
        "start": instant(row.starts_at),
        "end": instant(row.ends_at),
        "minutesDuration": int((row.ends_at - row.starts_at).total_seconds()) // 60,
        "created": instant(row.created_at),
        "participant": [{"actor": {"reference": actor}, "status": answer} for actor in actors],
    }
    if row.rescheduled_from is not None:
        resource["supportingInformation"] = [{"reference": f"Appointment/{row.rescheduled_from}"}]
    if status == "cancelled" and row.status_reason:
        resource["cancelationReason"] = {"text": row.status_reason}
    return resource if row.visit_type.sensitivity is None else labelled(resource, row.visit_type.sensitivity)
