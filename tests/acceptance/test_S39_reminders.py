"""Patients are reminded of visits, in the way they allowed; it works out of the box through an outbox on the machine.

What is sent says when and where, never why; a visit that is given up reminds nobody.
"""

from __future__ import annotations

from pipelines import office
from tests.integration.hub_api.practice import Practice

_DUE = "UPDATE reminder SET due_at = now() - interval '1 minute' WHERE due_at = (SELECT min(due_at) FROM reminder)"


def test_a_reminder_is_queued_when_booked_and_sent_when_due(practice: Practice) -> None:
    reached = [{"kind": "mobile", "value": "+12175550101", "may_text": True}]
    ada = practice.registered(contacts=reached)
    visit = practice.booked(ada)
    assert practice.rows("SELECT count(*) FROM reminder WHERE state = 'queued'") == [(2,)]
    assert office.send_reminders(practice.hub.installation) == 0
    practice.rows(_DUE)
    assert office.send_reminders(practice.hub.installation) == 1
    [file] = (practice.hub.installation.settings.data_dir / "outbox").iterdir()
    assert "+12175550101" in file.read_text()
    assert "Okafor" not in file.name + file.read_text()
    assert practice.audited("reminder.send", ada["patient_id"]) == [(None, "northgate", "success")]

    desk = practice.works("front_desk")
    desk.post(f"/appointments/{visit['appointment_id']}/cancel", {"reason": "has a cold"})
    assert practice.rows("SELECT state FROM reminder ORDER BY state") == [("cancelled",), ("sent",)]
    assert practice.resource("Appointment", visit["appointment_id"])["cancelationReason"] == {"text": "has a cold"}


def test_nothing_is_sent_in_a_way_the_patient_did_not_allow_and_an_analyst_books_nothing(practice: Practice) -> None:
    ada = practice.registered(contacts=[{"kind": "mobile", "value": "+12175550101"}])
    practice.booked(ada)
    practice.rows(_DUE)
    assert office.send_reminders(practice.hub.installation) == 0
    assert not (practice.hub.installation.settings.data_dir / "outbox").exists()
    assert practice.works("analyst").post("/appointments", practice.visit(ada)).status_code == 403
