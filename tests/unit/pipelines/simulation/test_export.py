"""Cardiology's nightly export: everything once, then what changed, as versions of the same resources."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from random import Random
from typing import Any

from pipelines.simulation.faults import Delivery
from pipelines.simulation.feeds import FEEDS
from pipelines.simulation.fhir.export import NIGHTS, export
from pipelines.simulation.group import END_INSTANT
from pipelines.simulation.world import Booking, BookingChange, Chapter, Code, Prescription, Problem, Site
from tests.unit.pipelines.simulation.riverbend import COLD, JOSE, NOON, chapter, registration, report, visit

SITE: Site = "cardiology"
FEED = FEEDS[SITE]


def exported(world: Chapter) -> Delivery:
    return export(FEED, world, Random(1))  # noqa: S311


def history(world: Chapter, kind: str) -> list[dict[str, Any]]:
    """Return the resources of a type in the order they are exported."""
    found = []
    for each in exported(world).arrivals:
        if each.sent.label == kind:
            found += [json.loads(text, parse_float=str) for text in each.sent.body.decode().splitlines()]
    return found


def test_a_visit_over_two_exports_is_two_versions() -> None:
    world = chapter(SITE)
    begins = NIGHTS[3] - timedelta(minutes=20)
    world.visits.append(visit(SITE, at=begins))
    first, last = history(world, "Encounter")
    assert [each["status"] for each in (first, last)] == ["in-progress", "finished"]
    assert [each["meta"]["versionId"] for each in (first, last)] == ["1", "2"]
    assert first["id"] == last["id"]


def test_what_changes_between_two_exports_is_exported_as_it_stands() -> None:
    world = chapter(SITE)
    world.visits.append(visit(SITE))
    (only,) = history(world, "Encounter")
    assert (only["status"], only["meta"]["versionId"]) == ("finished", "2")
    assert only["meta"]["lastUpdated"] == only["period"]["end"] == "2024-05-14T11:30:00-06:00"


def test_a_visit_taken_back_is_cancelled() -> None:
    world = chapter(SITE)
    world.visits.append(replace(visit(SITE), is_cancelled=True))
    assert history(world, "Encounter")[-1]["status"] == "cancelled"


def test_the_practice_and_those_who_treat_and_pay_are_exported_by_the_first_chapter_only() -> None:
    assert {each["name"][0]["family"] for each in history(chapter(SITE), "Practitioner")} == {
        "Ibarra", "Jovanovic", "Kapoor",
    }  # fmt: skip
    other = chapter(SITE)
    other.number = 1
    assert history(other, "Practitioner") == []


def test_patients_have_the_systems_their_numbers_have_elsewhere() -> None:
    (patient,) = history(chapter(SITE), "Patient")
    numbers = {each["type"]["coding"][0]["code"]: (each["system"], each["value"]) for each in patient["identifier"]}
    assert numbers["PI"] == ("urn:id:RIVEREX", "E-1")
    assert numbers["MR"] == ("https://cardiology.riverbend.example/mrn", "M-r1")
    assert patient["name"][0]["family"] == "O'Neill-Nuñez"


def test_a_merged_record_points_to_the_one_that_stays_and_back() -> None:
    twice = replace(registration(SITE, "r2"), merged_into="r1", merged_at=NOON)
    last = {each["id"]: each for each in history(chapter(SITE, registration(SITE), twice), "Patient")}
    assert last["r2"]["active"] is False
    assert last["r2"]["link"] == [{"other": {"reference": "Patient/r1"}, "type": "replaced-by"}]
    assert last["r1"]["link"] == [{"other": {"reference": "Patient/r2"}, "type": "replaces"}]


def test_what_a_patient_was_called_before_is_an_earlier_version() -> None:
    stated = ((NOON - timedelta(days=60), JOSE), (NOON, replace(JOSE, family="Ruiz")))
    found = history(chapter(SITE, replace(registration(SITE), stated=stated)), "Patient")
    assert [each["name"][0]["family"] for each in found] == ["O'Neill-Nuñez", "Ruiz"]


def test_problems_and_prescriptions_end() -> None:
    world = chapter(SITE)
    began, ended = date(2024, 5, 1), date(2024, 9, 1)
    world.problems.append(Problem("c1", "r1", SITE, None, COLD, began, ended, NOON))
    drug = Code("RxNorm", "314076", "lisinopril 10 MG Oral Tablet")
    world.prescriptions.append(Prescription("m1", "r1", SITE, None, "kapoor", drug, "one a day", began, ended))
    problems = history(world, "Condition")
    assert [each["clinicalStatus"]["coding"][0]["code"] for each in problems] == ["active", "resolved"]
    assert problems[1]["abatementDateTime"] == "2024-09-01"
    assert [each["status"] for each in history(world, "MedicationRequest")] == ["active", "stopped"]


def test_results_keep_their_digits_and_their_corrections() -> None:
    world = chapter(SITE)
    world.visits.append(visit(SITE))
    world.reports.append(report(SITE, corrected=True))
    (result,) = history(world, "Observation")
    assert (result["status"], result["valueQuantity"]["value"], result["meta"]["versionId"]) == (
        "corrected",
        "5.10",
        "2",
    )
    assert "interpretation" not in result
    assert result["referenceRange"][0]["low"]["value"] == "4.0"
    assert history(world, "DiagnosticReport")[0]["result"] == [{"reference": f"Observation/{result['id']}"}]


def test_an_appointment_ends_as_its_last_change_says() -> None:
    world = chapter(SITE)
    starts = NOON + timedelta(days=90)
    changes = (BookingChange(NOON, "booked", starts), BookingChange(starts, "noshow", starts))
    world.bookings.append(Booking("b1", "r1", SITE, "kapoor", "cardiology", 40, changes))
    assert [each["status"] for each in history(world, "Appointment")] == ["booked", "noshow"]


def test_what_happens_on_the_last_day_is_in_the_last_export() -> None:
    world = chapter(SITE)
    world.visits.append(visit(SITE, at=END_INSTANT - timedelta(hours=3)))
    assert history(world, "Encounter")[-1]["status"] == "finished"


def test_a_line_broken_one_night_stands_right_in_the_next_export() -> None:
    world = chapter(SITE)
    world.visits += [visit(SITE, f"v{number}", at=NOON - timedelta(hours=number)) for number in range(60)]
    delivery = exported(world)
    (fault,) = delivery.faults
    kind, _, key = fault.subject.partition("/")
    lines = [
        text for each in delivery.arrivals if each.sent.label == kind for text in each.sent.body.decode().splitlines()
        if f'"id":"{key}"' in text
    ]  # fmt: skip
    broken, right = lines[-2:]
    assert right.startswith(broken)
    assert json.loads(right)["id"] == key
    assert sum(each.refused for each in delivery.arrivals) == 1
