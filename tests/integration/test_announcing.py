"""What happens here is told to a partner: at least once, under one key, in order by subject, and in the end by hand."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import repeat

import pytest
from pydantic import SecretStr

from ehr_pm.acts import act
from ehr_pm.patients import merging, service
from ehr_pm.patients.models import Patient
from ehr_pm.patients.schemas import Demographics
from ehr_pm.scheduling import service as schedule
from hub_core.clock import now
from hub_core.errors import ConfigurationError
from hub_core.fhir.canonical import Json, load_object
from hub_core.settings import Settings
from pipelines import announcing
from pipelines.announcing import Announcer, Event, announce
from pipelines.installation import Installation
from tests.integration.ehr_pm.clinic import CLERK, NOW, Clinic, open_clinic, wall
from tests.integration.ehr_pm.test_patients import register

BELLO = Demographics(family="Bello", given="Maria", birth_date=date(1984, 3, 7), gender="female")


@pytest.fixture
def clinic(installation: Installation) -> Clinic:
    """Return a clinic, what its making announced being delivered."""
    made = open_clinic(installation.database, patients=1)
    with installation.database.begin() as unit:
        unit.driver.execute("UPDATE outbox_event SET delivered_at = now()")
    return made


class Partner:
    """A partner who keeps what they took, and takes nothing while they are away."""

    def __init__(self) -> None:
        self.took: list[Event] = []
        self.is_away = False

    def __call__(self, event: Event) -> str | None:
        if self.is_away:
            return "answered 503"
        self.took.append(event)
        return None


def deliver(installation: Installation, partner: Partner, moment: datetime | None = None) -> list[Json]:
    before = len(partner.took)
    while announce(installation.database, partner, moment or now()):
        pass
    return [event.told for event in partner.took[before:]]


def named(patient: Patient) -> str:
    return f"Patient/{patient.patient_id}"


def test_an_event_carries_what_a_partner_needs(installation: Installation, clinic: Clinic) -> None:
    partner = Partner()
    with act(installation.database, CLERK, moment=NOW) as doing:
        ada, twice = register(doing, clinic), register(doing, clinic, given="Marie", despite="not sure")
        service.correct(doing, ada, BELLO)
    registered, _, corrected = deliver(installation, partner)
    assert (registered["kind"], registered["subject"], registered["patient"]) == ("patient.register", *[named(ada)] * 2)
    assert registered["location"] == "northgate"
    assert (corrected["kind"], corrected["resource"]["name"][0]["family"]) == ("patient.correct", "Bello")

    with act(installation.database, CLERK, moment=NOW) as doing:
        booked = schedule.book(doing, clinic.told(wall(3, 9), patient_id=ada.patient_id))
        there = clinic.told(wall(4, 9), patient_id=ada.patient_id)
        moved = schedule.reschedule(doing, booked.appointment_id, there, "at the patient's wish")
        schedule.cancel(doing, moved.appointment_id, "by telephone")
        merging.merge(doing, ada.patient_id, twice.patient_id, "registered twice")
    events = deliver(installation, partner)
    assert sorted(each["kind"] for each in events) == [
        "appointment.book",
        "appointment.book",
        "appointment.cancelled",
        "appointment.rescheduled",
        "patient.merge",
    ]
    by_kind = {each["kind"]: each for each in events}
    old = f"Appointment/{booked.appointment_id}"
    assert by_kind["appointment.cancelled"]["resource"]["supportingInformation"] == [{"reference": old}]
    assert by_kind["appointment.rescheduled"]["subject"] == old
    items = by_kind["patient.merge"]["resource"]["item"]
    assert [each["resource"]["reference"] for each in items] == [named(ada), named(twice)]


def test_what_is_sensitive_is_told_by_its_id_only(installation: Installation, clinic: Clinic) -> None:
    with act(installation.database, CLERK, moment=NOW) as doing:
        register(doing, clinic)
    with installation.database.begin() as unit:
        unit.driver.execute("UPDATE resource SET sensitivity = '42cfr2' WHERE resource_type = 'Patient'")
    [event] = deliver(installation, Partner())
    assert event["resource"] is None
    assert event["subject"].startswith("Patient/")


def test_an_event_is_sent_again_under_its_key_and_put_aside_in_the_end(
    installation: Installation, clinic: Clinic
) -> None:
    partner, moment = Partner(), now()
    with act(installation.database, CLERK, moment=NOW) as doing:
        row = register(doing, clinic)
    with act(installation.database, CLERK, moment=NOW) as doing:
        service.correct(doing, doing.session.get_one(Patient, row.patient_id), BELLO)
    partner.is_away = True
    for attempt in range(announcing.MOST_ATTEMPTS):
        assert deliver(installation, partner, moment + timedelta(hours=3 * attempt)) == []
    assert deliver(installation, partner, moment) == []
    with installation.database.begin() as unit:
        [aside] = announcing.put_aside(unit.driver)
        assert (aside[1], aside[3], aside[4]) == ("patient.register", announcing.MOST_ATTEMPTS, "answered 503")
        found = unit.driver.execute("SELECT check_name FROM finding WHERE settled_at IS NULL").fetchall()
        assert found == [("not announced",)]
        assert announcing.try_again(unit.driver, moment) == 1
        assert unit.driver.execute("SELECT 1 FROM finding WHERE settled_at IS NULL").fetchall() == []
    partner.is_away = False
    told_now = deliver(installation, partner, moment + timedelta(days=9))
    assert [each["kind"] for each in told_now] == ["patient.register", "patient.correct"]
    assert deliver(installation, partner, moment + timedelta(days=9)) == []
    with installation.database.begin() as unit:
        sent = "SELECT patient_id FROM audit_event WHERE action = 'announcement.send'"
        assert unit.driver.execute(sent).fetchall() == [(row.patient_id,)] * 2


def test_an_event_whose_announcer_died_is_sent_by_the_next_and_nothing_is_locked_meanwhile(
    installation: Installation, clinic: Clinic
) -> None:
    partner, moment = Partner(), now()
    with act(installation.database, CLERK, moment=NOW) as doing:
        register(doing, clinic)

    def die(_: Event) -> str | None:
        with installation.database.begin() as unit:
            unit.driver.execute("SELECT FROM outbox_event FOR UPDATE NOWAIT")
        assert deliver(installation, partner, moment) == []  # it is taken
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        announce(installation.database, die, moment)
    assert deliver(installation, partner, moment) == []
    assert [each["kind"] for each in deliver(installation, partner, moment + timedelta(minutes=3))] == [
        "patient.register"
    ]


@pytest.fixture
def listening() -> Iterator[tuple[str, list[tuple[str, str, Json]]]]:
    """Return the address of a partner, and what they were sent: key, authorization, event."""
    heard: list[tuple[str, str, Json]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            heard.append((self.headers["Idempotency-Key"], self.headers["Authorization"], load_object(body)))
            self.send_response(503 if len(heard) == 1 else 204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/events", heard
    server.shutdown()
    thread.join()
    server.server_close()


def test_events_are_posted_and_a_refused_one_comes_again(
    installation: Installation, clinic: Clinic, listening: tuple[str, list[tuple[str, str, Json]]]
) -> None:
    address, heard = listening
    with act(installation.database, CLERK, moment=NOW) as doing:
        register(doing, clinic)
    settings = installation.settings.model_copy(update={"announce_url": address, "announce_token": SecretStr("t")})
    told_by = Installation(settings, installation.database, installation.keyring, installation.store)
    Announcer(installation).tick()
    assert heard == []
    Announcer(told_by).tick()
    with installation.database.begin() as unit:
        unit.driver.execute("UPDATE outbox_event SET due_at = now()")
    Announcer(told_by).tick()
    assert [each[:2] for each in heard] == list(repeat((heard[0][2]["event_id"], "Bearer t"), 2))
    assert heard[1][2]["kind"] == "patient.register"


@pytest.mark.parametrize("address", ["http://partner.example/events", "ftp://partner.example"])
def test_patients_data_leave_by_https_only(address: str) -> None:
    with pytest.raises(ConfigurationError, match="https"):
        announcing.partner(Settings(announce_url=address))
