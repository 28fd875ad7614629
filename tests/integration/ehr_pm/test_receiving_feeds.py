"""Whole feeds of other systems on our schedule: HL7 v2 as practices send it, and FHIR Patient, Appointment, Linkage."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import UUID

from ehr_pm.acts import act
from ehr_pm.organisation import ownership
from ehr_pm.organisation import service as organisation
from ehr_pm.organisation.models import Location
from ehr_pm.organisation.schemas import Masters, NewLocation, NewOrganization
from ehr_pm.record import changes
from ehr_pm.scheduling import setup
from ehr_pm.scheduling.schemas import NewBookable
from hub_core.feeds import Feed, load_feeds
from hub_core.fhir.canonical import Json
from hub_core.fhir.ids import derived_id, new_id
from pipelines.installation import Installation
from pipelines.intake import Intake
from pipelines.receiving import Receiver
from tests.integration.ehr_pm.clinic import CLERK, NOW
from tests.samples import SAMPLES

_STAFF = (
    "WITH who AS (INSERT INTO principal (principal_id, name, kind) VALUES (gen_random_uuid(), %s, 'person')"
    " RETURNING principal_id) INSERT INTO staff (principal_id, practitioner_id, family, given, npi, created_at,"
    " changed_at, version) SELECT principal_id, %s, 'Okafor', 'Amara', %s, now(), now(), 1 FROM who"
)


def rows(installation: Installation, query: str, *values: Any) -> list[tuple[Any, ...]]:
    with installation.database.begin() as unit:
        return unit.driver.execute(query, values).fetchall()


def hand_over(installation: Installation, feed: Feed, *npis: str) -> None:
    """Open the feed's location, make its source master there, and let clinicians of ours with these NPIs be booked."""
    with act(installation.database, CLERK, moment=NOW) as doing:
        body = organisation.add_organization(doing, NewOrganization(name="Riverbend"))
        told = {"key": feed.location, "organization_id": body.organization_id, "name": "There", "zone": feed.zone}
        there: Location = organisation.add_location(doing, NewLocation.model_validate(told))
        for npi in npis:
            practitioner_id = new_id()
            thing = {
                "location_id": there.location_id,
                "kind": "practitioner",
                "subject_id": practitioner_id,
                "name": npi,
            }
            setup.add_bookable(doing, NewBookable.model_validate(thing))
            doing.session.connection().exec_driver_sql(_STAFF, (npi, practitioner_id, npi))
        ownership.set_masters(doing, there, Masters(patients_from=feed.source, schedule_from=feed.source))


def take(installation: Installation, feed: Feed, *paths: Path) -> None:
    """Take files in as `wholechart ingest` does, and let the receiver see them."""
    list(Intake(installation, feed).take(paths))
    for _ in installation.worker().drain():
        pass
    with installation.database.begin() as unit:
        changes.seal(unit.driver)
    Receiver(installation).tick()


def test_all_of_a_family_practice_is_on_our_schedule(installation: Installation) -> None:
    feed = load_feeds(SAMPLES / "feeds")["family-practice"]
    hand_over(installation, feed, "2000001018")
    take(installation, feed, *(SAMPLES / "family-practice" / name for name in ("1-adt.hl7", "2-appointments.hl7")))
    held = "SELECT count(*) FROM resource WHERE resource_type = %s"
    assert rows(installation, "SELECT count(*) FROM appointment") == rows(installation, held, "Appointment")
    assert rows(installation, "SELECT count(*) FROM patient WHERE received_from = %s", feed.source) == rows(
        installation, held, "Patient"
    )
    wall = "SELECT DISTINCT (starts_at AT TIME ZONE 'America/Chicago') = local_start FROM appointment"
    assert rows(installation, wall) == [(True,)]
    booked = "SELECT count(*) > 0 FROM resource_booking WHERE kind = 'practitioner' AND is_blocking"
    assert rows(installation, booked) == [(True,)]


FEED = Feed(name="clinic", source="clinic", location="clinic", zone="America/Denver", format="fhir")


def key(kind: str, name: str) -> UUID:
    return UUID(derived_id(FEED.source, kind, name))


def patient(name: str, **more: Any) -> Json:
    named = {"name": [{"family": "Okafor", "given": ["Ada"]}], "birthDate": "1980-04-02", "gender": "female"}
    return {"resourceType": "Patient", "id": name, "meta": {"lastUpdated": "2026-03-01T12:00:00Z"}, **named, **more}


def appointment(name: str, **more: Any) -> Json:
    actors = ("Patient/p1", "Practitioner/d1")
    return {
        "resourceType": "Appointment",
        "id": name,
        "meta": {"lastUpdated": "2026-03-01T12:00:00Z"},
        "status": "booked",
        "start": "2026-03-09T09:00:00-06:00",
        "minutesDuration": 20,
        "participant": [{"actor": {"reference": each}, "status": "accepted"} for each in actors],
        **more,
    }


def write(path: Path, *resources: Json) -> Path:
    path.write_text("".join(json.dumps(each) + "\n" for each in resources))
    return path


def test_fhir_patients_and_appointments_become_rows_and_follow(installation: Installation, tmp_path: Path) -> None:
    hand_over(installation, FEED, "2000001018")
    doctor = {
        "resourceType": "Practitioner",
        "id": "d1",
        "identifier": [{"system": "http://hl7.org/fhir/sid/us-npi", "value": "2000001018"}],
    }
    take(installation, FEED, write(tmp_path / "1.ndjson", patient("p1"), doctor, appointment("a1")))
    visits = (
        "SELECT appointment_id, patient_id, a.status, local_start::text,"
        " extract(epoch FROM ends_at - starts_at)::int / 60,"
        " (SELECT count(*) FROM resource_booking b WHERE b.appointment_id = a.appointment_id AND is_blocking)"
        " FROM appointment a"
    )
    booked = (key("Appointment", "a1"), key("Patient", "p1"), "booked", "2026-03-09 09:00:00", 20, 2)
    assert rows(installation, visits) == [booked]
    later = {"meta": {"lastUpdated": "2026-03-02T12:00:00Z"}}
    gone = appointment("a1", status="cancelled", cancelationReason={"text": "ill"}, **later)
    take(installation, FEED, write(tmp_path / "2.ndjson", gone))
    assert rows(installation, visits) == [(*booked[:2], "cancelled", *booked[3:5], 0)]


def test_a_fhir_merge_is_followed_and_taken_back(installation: Installation, tmp_path: Path) -> None:
    hand_over(installation, FEED)
    link = [{"other": {"reference": "Patient/p2"}, "type": "replaced-by"}]
    visits = "SELECT patient_id FROM appointment"
    take(installation, FEED, write(tmp_path / "1.ndjson", patient("p1"), patient("p2"), appointment("a1")))
    later = {"meta": {"lastUpdated": "2026-03-02T12:00:00Z"}}
    take(installation, FEED, write(tmp_path / "2.ndjson", patient("p1", active=False, link=link, **later)))
    assert rows(installation, visits) == [(key("Patient", "p2"),)]
    assert rows(installation, "SELECT merged_into FROM patient WHERE merged_into IS NOT NULL") == [
        (key("Patient", "p2"),)
    ]
    last = {"meta": {"lastUpdated": "2026-03-03T12:00:00Z"}}
    take(installation, FEED, write(tmp_path / "3.ndjson", patient("p1", **last)))
    assert rows(installation, visits) == [(key("Patient", "p1"),)]
    assert rows(installation, "SELECT 1 FROM patient WHERE merged_into IS NOT NULL") == []


def test_of_merges_in_a_ring_one_is_followed_and_the_other_is_seen(installation: Installation, tmp_path: Path) -> None:
    hand_over(installation, FEED)

    def replaced(by: str) -> list[Json]:
        return [{"other": {"reference": f"Patient/{by}"}, "type": "replaced-by"}]

    both = (patient("p1", link=replaced("p2")), patient("p2", link=replaced("p1")))
    take(installation, FEED, write(tmp_path / "1.ndjson", *both))
    assert len(rows(installation, "SELECT 1 FROM patient_merge WHERE undone_at IS NULL")) == 1
    assert rows(installation, "SELECT check_name FROM finding WHERE settled_at IS NULL") == [("merge in a ring",)]
