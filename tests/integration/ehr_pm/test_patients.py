"""Registration: look-alikes are shown first, and a merge moves everything and can be taken back to the row."""

from __future__ import annotations

import json
from datetime import date
from typing import Any
from uuid import UUID

import pytest

from ehr_pm.acts import Act, act
from ehr_pm.identity import crosswalk
from ehr_pm.patients import merging, moving, repository, service
from ehr_pm.patients.models import Patient
from ehr_pm.patients.schemas import Address, Contact, Identifier, NewConsent, NewPatient, NewRelatedPerson
from ehr_pm.record.queries import read
from ehr_pm.scheduling import service as schedule
from hub_core.database import Database, UnitOfWork
from hub_core.errors import ConflictError
from hub_core.fhir.canonical import Json, load_object
from tests.integration.ehr_pm.clinic import CLERK, NOW, Clinic, open_clinic, wall

HOME = Address(line="12 Elm Street", city="Fairhaven", state="MO", postal_code="63999")


@pytest.fixture
def clinic(database: Database) -> Clinic:
    return open_clinic(database, patients=3)


def told(clinic: Clinic, **more: object) -> NewPatient:
    said = {
        "family": "Delgado",
        "given": "Maria",
        "birth_date": date(1984, 3, 7),
        "gender": "female",
        "birth_sex": "F",
        "races": ("2106-3",),
        "ethnicity": "2135-2",
        "home_location_id": clinic.location_id,
        "addresses": (HOME,),
        "contacts": (Contact(kind="mobile", value="555-0101"),),
    }
    return NewPatient.model_validate({**said, **more})


def register(doing: Act, clinic: Clinic, *, despite: str | None = None, **more: object) -> Patient:
    return service.register(doing, told(clinic, **more), despite=despite)


def projected(unit: UnitOfWork, kind: str, resource_id: UUID) -> Json:
    found = read(unit.driver, kind, resource_id)
    assert found is not None
    return load_object(found.body)


def test_a_patient_is_a_row_a_us_core_resource_and_a_person(database: Database, clinic: Clinic) -> None:
    with act(database, CLERK, moment=NOW) as doing:
        row = register(doing, clinic)
    with database.begin() as unit:
        found = projected(unit, "Patient", row.patient_id)
        assert found["identifier"][0]["value"] == row.mrn
        assert {each["url"].rsplit("-", 1)[1] for each in found["extension"]} == {"race", "ethnicity", "birthsex"}
        assert len(crosswalk.companions(unit.driver, [row.patient_id])) == 1
        seen = unit.driver.execute("SELECT action FROM audit_event WHERE patient_id = %s", (row.patient_id,)).fetchall()
        assert seen == [("patient.register",)]


@pytest.mark.parametrize(
    "alike",
    [
        {},
        {"given": "María", "addresses": ()},
        {"given": "M.", "family": "Delgado", "contacts": ()},
        {"birth_date": date(1984, 7, 3)},
        {"family": "Ortiz", "given": "Mia"},
    ],
    ids=["same", "accent", "initial", "day-and-month-swapped", "married"],
)
def test_look_alikes_are_shown_before_a_patient_is_made_twice(
    database: Database, clinic: Clinic, alike: dict[str, Any]
) -> None:
    with act(database, CLERK, moment=NOW) as doing:
        first = register(doing, clinic)
    with act(database, CLERK, moment=NOW) as doing, pytest.raises(service.PossibleDuplicateError) as caught:
        register(doing, clinic, **alike)
    assert [each.patient.patient_id for each in caught.value.candidates] == [first.patient_id]
    with act(database, CLERK, moment=NOW) as doing:
        second = register(doing, clinic, despite="a cousin of the same name", **alike)
        assert second.created_despite == "a cousin of the same name"


def test_somebody_else_is_nobody_s_look_alike(database: Database, clinic: Clinic) -> None:
    with act(database, CLERK, moment=NOW) as doing:
        register(doing, clinic)
        register(doing, clinic, family="Tran", given="Robert", birth_date=date(1951, 1, 2), addresses=(), contacts=())


def test_a_number_somebody_has_already_is_shown(database: Database, clinic: Clinic) -> None:
    number = Identifier(system="urn:oid:1.2.3", value="777", kind="PI")
    with act(database, CLERK, moment=NOW) as doing:
        register(doing, clinic, identifiers=(number,))
    with act(database, CLERK, moment=NOW) as doing, pytest.raises(service.PossibleDuplicateError):
        register(doing, clinic, family="X", given="Y", birth_date=date(2000, 1, 1), identifiers=(number,), contacts=())


def test_finding_shows_only_patients_of_locations_one_may_see(database: Database, clinic: Clinic) -> None:
    with act(database, CLERK, moment=NOW) as doing:
        row = register(doing, clinic)

        def found(locations: frozenset[str] | None, **by: Any) -> list[UUID]:
            by = {"name": None, "birth_date": None, "number": None, **by}
            return [each.patient_id for each in repository.find(doing.session, locations=locations, **by)]

        assert found(None, name="delg mar") == [row.patient_id]
        assert found(frozenset({"northgate"}), number=row.mrn) == [row.patient_id]
        assert found(frozenset({"elsewhere"}), number=row.mrn) == []
        assert found(None, name="%") == []


def test_a_move_keeps_the_old_address(database: Database, clinic: Clinic) -> None:
    with act(database, CLERK, moment=NOW) as doing:
        row = register(doing, clinic)
    with act(database, CLERK, moment=NOW) as doing:
        known = repository.get(doing.session, row.patient_id)
        service.move(doing, known, HOME.model_copy(update={"line": "9 Oak Street"}))
        service.set_contacts(doing, known, [Contact(kind="email", value="maria@example.org")])
    with database.begin() as unit:
        found = projected(unit, "Patient", row.patient_id)
        assert [each["use"] for each in found["address"]] == ["old", "home"]
        assert [each["system"] for each in found["telecom"]] == ["email"]


def everything(unit: UnitOfWork) -> dict[str, list[str]]:
    """Return every row of every table that belongs to patients, as text."""
    tables = {each.table for each in moving.references(unit.driver)} | {"patient"}
    return {
        table: sorted(
            json.dumps(row, sort_keys=True, default=str)
            for (row,) in unit.driver.execute(
                f"SELECT to_jsonb(t) - 'version' - 'changed_at' - 'changed_by' FROM {table} t"
            )
        )
        for table in tables
    }


def two_patients(doing: Act, clinic: Clinic) -> tuple[Patient, Patient]:
    """Register one person twice, each record with everything a patient can have, some of it the same."""
    shared = Identifier(system="urn:oid:1.2.3", value="777", kind="PI")
    one = register(doing, clinic, identifiers=(shared,))
    other = register(
        doing,
        clinic,
        given="Marie",
        despite="not sure",
        identifiers=(shared, shared.model_copy(update={"value": "778"})),
    )
    for number, row in enumerate((one, other)):
        service.add_related(doing, row, NewRelatedPerson(relationship="spouse", family="Delgado", given="Luis"))
        service.record_consent(doing, row, NewConsent(kind="treatment", state="given", effective_on=NOW.date()))
        schedule.book(doing, clinic.told(wall(3, 9 + number), patient_id=row.patient_id))
    return one, other


def test_merging_leaves_nothing_behind_and_unmerging_restores_every_row(database: Database, clinic: Clinic) -> None:
    with act(database, CLERK, moment=NOW) as doing:
        one, other = two_patients(doing, clinic)
    with database.begin() as unit:
        before, persons = everything(unit), crosswalk.companions(unit.driver, [one.patient_id, other.patient_id])
    with act(database, CLERK, moment=NOW) as doing:
        merge = merging.merge(doing, one.patient_id, other.patient_id, "registered twice")
    with database.begin() as unit:
        for each in moving.references(unit.driver):
            left = unit.driver.execute(
                f"SELECT count(*) FROM {each.table} WHERE {each.column} = %s", (other.patient_id,)
            ).fetchall()
            assert left == [(0,)], each
        assert projected(unit, "Patient", other.patient_id)["active"] is False
        assert len(set(crosswalk.companions(unit.driver, [one.patient_id]).values())) == 1
        owners = unit.driver.execute("SELECT DISTINCT patient_id FROM resource WHERE resource_type = 'Appointment'")
        assert owners.fetchall() == [(one.patient_id,)]
        assert repository.get(unit.session, other.patient_id).patient_id == one.patient_id
    with act(database, CLERK, moment=NOW) as doing:
        merging.unmerge(doing, merge.merge_id)
    with database.begin() as unit:
        assert everything(unit) == before
        assert crosswalk.companions(unit.driver, [one.patient_id, other.patient_id]) == persons
        assert projected(unit, "Patient", other.patient_id)["active"] is True


def test_what_is_written_between_merge_and_unmerge_stays_with_the_survivor(database: Database, clinic: Clinic) -> None:
    with act(database, CLERK, moment=NOW) as doing:
        one, other = two_patients(doing, clinic)
        merge = merging.merge(doing, one.patient_id, other.patient_id, "registered twice")
        later = schedule.book(doing, clinic.told(wall(4, 9), patient_id=one.patient_id))
    with act(database, CLERK, moment=NOW) as doing:
        merging.unmerge(doing, merge.merge_id)
    with database.begin() as unit:
        rows = unit.driver.execute(
            "SELECT patient_id FROM appointment WHERE appointment_id = %s", (later.appointment_id,)
        )
        assert rows.fetchall() == [(one.patient_id,)]


def test_merges_that_cannot_be_are_refused(database: Database, clinic: Clinic) -> None:
    with act(database, CLERK, moment=NOW) as doing:
        one, other = two_patients(doing, clinic)
        third = register(doing, clinic, given="Martha", despite="another", birth_date=date(1984, 3, 8))

    def merge(survivor: Patient, merged: Patient) -> UUID:
        with act(database, CLERK, moment=NOW) as doing:
            return merging.merge(doing, survivor.patient_id, merged.patient_id, "registered twice").merge_id

    def unmerge(merge_id: UUID) -> None:
        with act(database, CLERK, moment=NOW) as doing:
            merging.unmerge(doing, merge_id)

    with pytest.raises(ConflictError, match="themselves"):
        merge(one, one)
    first = merge(one, other)
    with pytest.raises(ConflictError, match="before"):
        merge(third, other)
    second = merge(third, one)
    with pytest.raises(ConflictError, match="take that back first"):
        unmerge(first)
    unmerge(second)
    unmerge(first)
    with pytest.raises(ConflictError, match="taken back"):
        unmerge(first)


def test_two_at_the_same_time_in_two_places_cannot_be_one(database: Database, clinic: Clinic) -> None:
    with act(database, CLERK, moment=NOW) as doing:
        one, other = two_patients(doing, clinic)
        taking = clinic.clinicians[1:]
        schedule.book(doing, clinic.told(wall(5, 9), patient_id=one.patient_id))
        schedule.book(doing, clinic.told(wall(5, 9), patient_id=other.patient_id, taking=taking))

    def merge() -> None:
        with act(database, CLERK, moment=NOW) as doing:
            merging.merge(doing, one.patient_id, other.patient_id, "registered twice")

    with pytest.raises(ConflictError, match="same time"):
        merge()
