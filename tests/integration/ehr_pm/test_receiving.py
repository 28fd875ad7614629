"""Where another source is master: its ADT and SIU become rows, whatever their order, and nothing it says is lost."""

from __future__ import annotations

from typing import Any

import pytest

from ehr_pm.acts import act
from ehr_pm.organisation.ownership import MasteredElsewhereError
from ehr_pm.patients import merging, reading, repository, service
from ehr_pm.patients.schemas import Contact, NewConsent
from ehr_pm.scheduling import service as schedule
from pipelines.installation import Installation
from pipelines.receiving import Receiver, receive_again
from tests.integration.ehr_pm import legacy
from tests.integration.ehr_pm.clinic import CLERK, NOW, Clinic, open_clinic
from tests.integration.ehr_pm.legacy import SOURCE, adt, at, patient_id, siu, visit_id
from tests.integration.ehr_pm.test_patients import register


@pytest.fixture
def clinic(installation: Installation) -> Clinic:
    return open_clinic(installation.database, patients=3)


def rows(installation: Installation, query: str, *values: Any) -> list[tuple[Any, ...]]:
    with installation.database.begin() as unit:
        return unit.driver.execute(query, values).fetchall()


def found(installation: Installation) -> set[tuple[str, str]]:
    """Return the open findings: check and type."""
    return set(rows(installation, "SELECT check_name, subject_type FROM finding WHERE settled_at IS NULL"))


RECEIVED = (
    "SELECT mrn, family, given, middle, birth_date::text, gender, received_from FROM patient WHERE patient_id = %s"
)


def test_an_admission_becomes_a_row_and_the_feeds_resource_stays_the_only_record(
    installation: Installation, clinic: Clinic
) -> None:
    legacy.hand_over(installation, clinic)
    legacy.receive(installation, adt("A04", "7"))
    key = patient_id("7")
    told = [("meditech 7", "Okafor", "Ada", "B", "1980-04-02", "female", SOURCE)]
    assert rows(installation, RECEIVED, key) == told
    numbers = rows(installation, "SELECT value, kind FROM patient_number WHERE patient_id = %s ORDER BY 1", key)
    assert numbers == [("7", "MR"), ("97", "PI")]
    assert rows(installation, "SELECT line, state FROM patient_address WHERE patient_id = %s", key) == [
        ("12 Elm Street", "MO")
    ]
    sources = rows(installation, "SELECT DISTINCT source FROM resource_version WHERE resource_type = 'Patient'")
    assert sources == [(SOURCE,)]
    audited = rows(installation, "SELECT principal_id, location FROM audit_event WHERE action = 'patient.receive'")
    assert audited == [(None, "northgate")]


def test_an_update_changes_the_row_and_an_older_one_does_not(installation: Installation, clinic: Clinic) -> None:
    legacy.hand_over(installation, clinic)
    legacy.receive(installation, adt("A04", "7"))
    legacy.receive(installation, adt("A08", "7", "Bello", minute=30, street="9 Oak Street"))
    legacy.receive(installation, adt("A31", "7", "Older", minute=10))
    legacy.receive(installation, adt("A08", "7", "Bello", minute=30, street="9 Oak Street"))
    [(family,)] = rows(installation, "SELECT family FROM patient WHERE patient_id = %s", patient_id("7"))
    assert family == "Bello"
    assert rows(installation, "SELECT line FROM patient_address WHERE patient_id = %s", patient_id("7")) == [
        ("9 Oak Street",)
    ]


def test_nothing_is_received_where_we_are_master(installation: Installation, clinic: Clinic) -> None:
    legacy.receive(installation, adt("A04", "7"), siu("S12", "1", "7", at(1, 9)))
    assert rows(installation, "SELECT 1 FROM patient WHERE received_from IS NOT NULL") == []
    assert rows(installation, "SELECT 1 FROM appointment") == []


def test_a_new_master_is_caught_up_with(installation: Installation, clinic: Clinic) -> None:
    legacy.receive(installation, adt("A04", "7"), siu("S12", "1", "7", at(1, 9)))
    legacy.add_clinician(installation, clinic)
    legacy.hand_over(installation, clinic)
    Receiver(installation).tick()
    assert len(rows(installation, RECEIVED, patient_id("7"))) == 1
    assert rows(installation, "SELECT appointment_id FROM appointment") == [(visit_id("1"),)]
    assert rows(installation, "SELECT 1 FROM catching_up") == []


VISIT = (
    "SELECT a.patient_id, a.status, a.local_start::text, (a.starts_at AT TIME ZONE 'UTC')::text, v.key, b.is_blocking"
    " FROM appointment a JOIN visit_type v USING (visit_type_id)"
    " JOIN resource_booking b ON b.appointment_id = a.appointment_id AND b.kind = 'practitioner'"
)


def test_a_visit_is_booked_moved_and_cancelled_as_its_master_says(installation: Installation, clinic: Clinic) -> None:
    legacy.hand_over(installation, clinic)
    legacy.add_clinician(installation, clinic)
    legacy.receive(installation, siu("S12", "1", "7", at(1, 9)))
    key = patient_id("7")
    booked = (key, "booked", "2026-03-03 09:00:00", "2026-03-03 14:00:00", "follow-up", True)
    assert rows(installation, VISIT) == [booked]
    legacy.receive(installation, siu("S13", "1", "7", at(8, 9), minute=5))
    moved = (key, "booked", "2026-03-10 09:00:00", "2026-03-10 13:00:00", "follow-up", True)
    assert rows(installation, VISIT) == [moved]
    legacy.receive(installation, siu("S15", "1", "7", at(8, 9), minute=9, status="Cancelled"))
    assert rows(installation, VISIT) == [(key, "cancelled", *moved[2:5], False)]
    assert rows(installation, "SELECT status FROM appointment_status_event ORDER BY number") == [
        ("booked",),
        ("cancelled",),
    ]
    assert rows(installation, "SELECT count(*) FROM resource WHERE resource_type = 'Appointment'") == [(1,)]


@pytest.mark.parametrize(
    ("event", "status", "here"),
    [
        ("S26", "Noshow", "noshow"),
        ("S14", "Complete", "checked_out"),
        ("S14", "Started", "arrived"),
        ("S17", "", "cancelled"),
    ],
)
def test_statuses_are_those_of_our_schedule(
    installation: Installation, clinic: Clinic, event: str, status: str, here: str
) -> None:
    legacy.hand_over(installation, clinic)
    legacy.receive(installation, siu("S12", "1", "7", at(1, 9)))
    legacy.receive(installation, siu(event, "1", "7", at(1, 9), minute=5, status=status))
    assert rows(installation, "SELECT status FROM appointment") == [(here,)]


def test_what_is_overbooked_is_kept_and_seen(installation: Installation, clinic: Clinic) -> None:
    legacy.hand_over(installation, clinic)
    legacy.add_clinician(installation, clinic)
    legacy.receive(installation, siu("S12", "1", "7", at(1, 9)), siu("S12", "2", "8", at(1, 9, 15)))
    lanes = "SELECT lane FROM resource_booking WHERE kind = 'practitioner' ORDER BY lane"
    assert rows(installation, lanes) == [(1,), (2,)]
    assert found(installation) == {("overbooked", "Appointment")}
    legacy.receive(installation, siu("S13", "2", "8", at(1, 11), minute=5))
    assert rows(installation, lanes) == [(1,), (1,)]
    assert found(installation) == set()


def test_two_visits_of_one_patient_at_once_are_a_finding(installation: Installation, clinic: Clinic) -> None:
    legacy.hand_over(installation, clinic)
    legacy.add_clinician(installation, clinic, lanes=2)
    legacy.receive(installation, siu("S12", "1", "7", at(1, 9)), siu("S12", "2", "7", at(1, 9)))
    assert found(installation) == {("patient in two places", "Appointment")}


def test_what_is_not_known_here_is_a_finding_and_is_mended_when_it_is_known(
    installation: Installation, clinic: Clinic
) -> None:
    legacy.hand_over(installation, clinic)
    legacy.receive(installation, siu("S12", "1", "7", at(1, 9), room="EXAM2"), siu("S12", "2", "7", None))
    assert found(installation) == {
        ("unknown clinician or room", "Practitioner"),
        ("unknown clinician or room", "Location"),
    }
    legacy.add_clinician(installation, clinic)
    receive_again(installation.database)
    assert found(installation) == {("unknown clinician or room", "Location")}
    assert rows(installation, "SELECT count(*) FROM resource_booking WHERE kind = 'practitioner'") == [(1,)]


def test_a_visit_waits_for_its_patient(installation: Installation, clinic: Clinic) -> None:
    legacy.hand_over(installation, clinic)
    visit = siu("S12", "1", "7", at(1, 9)).replace("|19800402|", "||")
    legacy.receive(installation, visit)
    assert found(installation) == {("incomplete patient", "Patient"), ("unknown patient", "Appointment")}
    legacy.receive(installation, adt("A04", "7", minute=5))
    assert rows(installation, "SELECT patient_id FROM appointment") == [(patient_id("7"),)]
    assert ("unknown patient", "Appointment") not in found(installation)


def test_what_is_said_of_a_location_nobody_knows_is_a_finding(installation: Installation, clinic: Clinic) -> None:
    legacy.hand_over(installation, clinic)
    legacy.receive(installation, adt("A04", "7"), location="elsewhere")
    assert found(installation) == {("unknown location", "Patient")}
    legacy.receive(installation, adt("A04", "8"), location=None)
    assert len(rows(installation, RECEIVED, patient_id("8"))) == 1


def test_a_merge_moves_what_is_ours_too_and_staff_cannot_take_it_back(
    installation: Installation, clinic: Clinic
) -> None:
    legacy.hand_over(installation, clinic)
    legacy.receive(installation, adt("A04", "7"), adt("A04", "8"), siu("S12", "1", "8", at(1, 9)))
    consent = NewConsent(kind="treatment", state="given", effective_on=NOW.date())
    with act(installation.database, CLERK, moment=NOW) as doing:
        service.record_consent(doing, repository.get(doing.session, patient_id("8")), consent)
    legacy.receive(installation, adt("A40", "8", into="7", minute=5))
    survivor = [(patient_id("7"),)]
    assert rows(installation, "SELECT patient_id FROM consent") == survivor
    assert rows(installation, "SELECT patient_id FROM appointment") == survivor
    consents = rows(installation, "SELECT patient_id FROM resource WHERE resource_type = 'Consent'")
    assert consents == survivor
    [(merge_id, merged)] = rows(installation, "SELECT merge_id, merged_id FROM patient_merge")
    assert merged == patient_id("8")

    def unmerge() -> None:
        with act(installation.database, CLERK, moment=NOW) as doing:
            merging.unmerge(doing, merge_id)

    with pytest.raises(MasteredElsewhereError):
        unmerge()


def test_staff_change_nothing_that_another_keeps(installation: Installation, clinic: Clinic) -> None:
    legacy.hand_over(installation, clinic)
    legacy.receive(installation, siu("S12", "1", "7", at(1, 9)))

    def refused(work: Any) -> None:
        with (
            pytest.raises(MasteredElsewhereError, match=SOURCE),
            act(installation.database, CLERK, moment=NOW) as doing,
        ):
            work(doing)

    refused(lambda doing: schedule.book(doing, clinic.told(at(1, 11))))
    refused(lambda doing: schedule.cancel(doing, visit_id("1"), "by telephone"))
    refused(lambda doing: schedule.arrive(doing, visit_id("1")))
    mobile = [Contact(kind="mobile", value="555-0101")]
    refused(lambda doing: service.set_contacts(doing, repository.get(doing.session, patient_id("7")), mobile))


def test_the_days_flow_may_stay_ours(installation: Installation, clinic: Clinic) -> None:
    legacy.hand_over(installation, clinic, flow_is_ours=True)
    legacy.receive(installation, siu("S12", "1", "7", at(1, 9)))
    with act(installation.database, CLERK, moment=NOW) as doing:
        schedule.arrive(doing, visit_id("1"))
    legacy.receive(installation, siu("S14", "1", "7", at(1, 9), minute=5, room="EXAM"))
    assert rows(installation, "SELECT status FROM appointment") == [("arrived",)]
    announced = rows(installation, "SELECT kind, subject_id FROM outbox_event WHERE kind LIKE 'appointment.%%'")
    assert announced == [("appointment.arrived", visit_id("1"))]
    assert rows(installation, "SELECT count(*), max(source) FROM resource WHERE resource_type = 'Appointment'") == [
        (1, SOURCE)
    ]
    legacy.receive(installation, siu("S13", "1", "7", at(2, 9), minute=9))
    assert rows(installation, "SELECT status FROM appointment") == [("booked",)]


def test_what_cannot_be_received_keeps_nothing_else_waiting(
    installation: Installation, clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    legacy.hand_over(installation, clinic)
    read = reading.read

    def fail_for_one(resource: Any) -> Any:
        if resource["id"] == str(patient_id("7")):
            raise RuntimeError("boom")
        return read(resource)

    monkeypatch.setattr(reading, "read", fail_for_one)
    legacy.receive(installation, adt("A04", "7"), adt("A04", "8"))
    assert [
        key for (key,) in rows(installation, "SELECT patient_id FROM patient WHERE received_from = %s", SOURCE)
    ] == [patient_id("8")]
    assert found(installation) == {("not received", "Patient")}
    monkeypatch.setattr(reading, "read", read)
    assert receive_again(installation.database) == 1
    assert found(installation) == set()


def test_a_sensitive_visit_is_kept_as_close_as_its_master_says(installation: Installation, clinic: Clinic) -> None:
    legacy.hand_over(installation, clinic)
    legacy.send(installation, [siu("S12", "1", "7", at(1, 9)), siu("S12", "2", "8", at(1, 11))])
    rows(
        installation,
        "UPDATE resource SET sensitivity = 'psychotherapy' WHERE resource_id = %s RETURNING 1",
        visit_id("1"),
    )
    Receiver(installation).tick()
    kinds = "SELECT appointment_id, v.key, v.sensitivity FROM appointment JOIN visit_type v USING (visit_type_id)"
    assert set(rows(installation, kinds)) == {
        (visit_id("1"), "received-psychotherapy", "psychotherapy"),
        (visit_id("2"), "follow-up", None),
    }


def test_a_patient_of_ours_may_be_merged_with_one_kept_elsewhere_and_taken_apart(
    installation: Installation, clinic: Clinic
) -> None:
    with act(installation.database, CLERK, moment=NOW) as doing:
        ours = register(doing, clinic)
        service.record_consent(doing, ours, NewConsent(kind="treatment", state="given", effective_on=NOW.date()))
    legacy.hand_over(installation, clinic, schedule=False)
    legacy.receive(installation, adt("A04", "7"))
    with act(installation.database, CLERK, moment=NOW) as doing:
        merge = merging.merge(doing, patient_id("7"), ours.patient_id, "one person, known twice")
        merge_id = merge.merge_id
    legacy.receive(installation, adt("A08", "7", "Bello", minute=5, street="9 Oak Street"))
    assert rows(installation, "SELECT patient_id FROM consent") == [(patient_id("7"),)]
    lines = "SELECT line FROM patient_address WHERE patient_id = %s ORDER BY line"
    assert rows(installation, lines, patient_id("7")) == [("12 Elm Street",), ("9 Oak Street",)]
    with act(installation.database, CLERK, moment=NOW) as doing:
        merging.unmerge(doing, merge_id)
    assert rows(installation, "SELECT patient_id FROM consent") == [(ours.patient_id,)]
    assert rows(installation, lines, patient_id("7")) == [("9 Oak Street",)]
    assert rows(installation, lines, ours.patient_id) == [("12 Elm Street",)]
    made_here = "SELECT count(*) FROM resource WHERE resource_type = 'Patient' AND source = 'wholechart'"
    assert rows(installation, made_here) == [(1,)]


def test_what_was_scheduled_elsewhere_is_seen_to_here_once_the_schedule_is_ours(
    installation: Installation, clinic: Clinic
) -> None:
    legacy.hand_over(installation, clinic)
    legacy.receive(installation, siu("S12", "1", "7", at(1, 9)))
    legacy.hand_over(installation, clinic, schedule=False)
    with act(installation.database, CLERK, moment=NOW) as doing:
        schedule.arrive(doing, visit_id("1"))
        schedule.book(doing, clinic.told(at(1, 11), patient_id=patient_id("7")))
    with pytest.raises(MasteredElsewhereError), act(installation.database, CLERK, moment=NOW) as doing:
        schedule.cancel(doing, visit_id("1"), "by telephone")
