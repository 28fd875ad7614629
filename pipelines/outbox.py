"""A local outbox: what would be sent to patients is written below the data directory, one file each, for its owner.

It works without any account at a carrier; a practice that has one puts its own port in this one's place.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from ehr_pm.patients import repository as patients
from hub_core.errors import NotFoundError
from hub_core.fhir.canonical import dumps

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from ehr_pm.patients.models import Patient
    from ehr_pm.scheduling.models import Appointment
    from ehr_pm.scheduling.reminders import Send


def carrier(folder: Path, session: Session, today: date) -> Send:
    """Return the port that puts the reminders of a day into `folder`."""

    def send(appointment: Appointment) -> None:
        patient = patients.get(session, appointment.patient_id)
        to = [{"channel": channel, "to": value} for channel, value in _ways(patient)]
        if not to:
            raise NotFoundError("the patient gave no way in which reminders may reach them")
        # Named by the appointment and the day: when it is sent again after a crash, it is the same file.
        name = f"reminder-{appointment.appointment_id}-{today.isoformat()}.json"
        _write(folder / name, dumps({"to": to, "text": _text(appointment)}))

    return send


def _ways(patient: Patient) -> Iterator[tuple[str, str]]:
    """Yield how a patient may be reminded: texts only where they said so (47 CFR 64.1200)."""
    for contact in patient.contacts:
        if contact.kind == "mobile" and contact.may_text:
            yield "text", contact.value
        elif contact.kind == "email":
            yield "email", contact.value


def _text(appointment: Appointment) -> str:
    """Return what a reminder says: when and where, never why (45 CFR 164.502(b))."""
    place = appointment.location
    call = f" To change it, call {place.phone}." if place.phone else ""
    return f"You have an appointment at {place.name} on {appointment.local_start:%A, %B %-d at %-I:%M %p}.{call}"


def _write(path: Path, body: bytes) -> None:
    """Write a file whole or not at all, readable by its owner only."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    unfinished = path.with_suffix(".part")
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(body)
    unfinished.replace(path)
