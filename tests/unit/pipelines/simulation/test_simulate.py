"""A small group is simulated and read again as the house would: what truth says comes out, and nothing else."""

from __future__ import annotations

import csv
import hashlib
import os
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

from pipelines.simulation import simulate as simulate_module
from pipelines.simulation.simulate import simulate
from tests.unit.pipelines.simulation.recount import House, read

PEOPLE, SEED = 40, 11
COUNTS = ("sent", "repeated", "rejected", "processed")


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a group of two chapters, so that what holds for one is not spoilt by merging."""
    folder: Path = tmp_path_factory.mktemp("simulated")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(simulate_module, "CHAPTER", PEOPLE // 2)
        patch.setattr(os, "cpu_count", lambda: 1)
        simulate(PEOPLE, SEED, folder)
    return folder


@pytest.fixture(scope="module")
def house(out: Path) -> House:
    return read(out / "feeds")


def rows(out: Path, kind: str) -> list[dict[str, str]]:
    with (out / "truth" / f"{kind}.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def digest(folder: Path) -> str:
    result = hashlib.sha256()
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        result.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
    return result.hexdigest()


@pytest.mark.parametrize("seed", [1, 2026])
def test_the_same_seed_gives_the_same_bytes(tmp_path: Path, seed: int) -> None:
    for name in ("once", "again"):
        simulate(12, seed, tmp_path / name)
    assert digest(tmp_path / "once") == digest(tmp_path / "again")
    simulate(12, seed + 1, tmp_path / "other")
    assert digest(tmp_path / "once") != digest(tmp_path / "other")


def test_chapters_made_side_by_side_give_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulate_module, "CHAPTER", 2)
    for cores in (1, 2):
        monkeypatch.setattr(os, "cpu_count", lambda cores=cores: cores)
        simulate(5, 4, tmp_path / str(cores))
    assert digest(tmp_path / "1") == digest(tmp_path / "2")
    with (tmp_path / "1" / "truth" / "persons.csv").open(encoding="utf-8", newline="") as stream:
        assert len({row["person_id"] for row in csv.DictReader(stream)}) == 5


def test_a_folder_that_holds_a_group_is_not_written_over(out: Path) -> None:
    with pytest.raises(FileExistsError):
        simulate(1, SEED, out)


def test_nothing_is_left_beside_feeds_script_and_truth(out: Path) -> None:
    assert sorted(each.name for each in out.iterdir()) == ["feeds", "northgate", "truth"]


def test_records_are_counted_as_the_house_counts_them(out: Path, house: House) -> None:
    stated: Counter[tuple[str, str]] = Counter()
    for row in rows(out, "messages"):
        stated += Counter({(row["feed"], name): int(row[name]) for name in COUNTS})
    counted = Counter({(feed, name): getattr(each, name) for feed, each in house.feeds.items() for name in COUNTS})
    assert +counted == stated
    assert all(each.filtered == 0 for each in house.feeds.values())


def test_messages_that_are_read_give_no_reason_to_complain(house: House) -> None:
    for name, feed in house.feeds.items():
        if name != "eligibility":  # a payer may refuse to answer, and the house says so
            assert feed.issues == [], name


def test_every_fault_is_found_and_nothing_else_looks_like_one(out: Path, house: House) -> None:
    stated = {(row["feed"], row["finding_kind"], row["control_id"]) for row in rows(out, "faults")}
    found = {(name, *each) for name, feed in house.feeds.items() for each in feed.faulty}
    assert {each for each in stated if each[1] != "event_after_message" and each[2]} == {
        each for each in found if each[2]
    }
    kinds = Counter((row["feed"], row["finding_kind"]) for row in rows(out, "faults"))
    assert Counter(
        {(name, kind): number for name, feed in house.feeds.items() for kind, number in feed.findings.items()}
    ) == (kinds - Counter({each: kinds[each] for each in kinds if each[1] == "event_after_message"}))
    assert house.misdated() == sum(number for each, number in kinds.items() if each[1] == "event_after_message")


def test_every_patient_record_is_known_once(out: Path, house: House) -> None:
    for site in ("family-practice", "hospital", "cardiology"):
        stated = {row["mrn"] for row in rows(out, "registrations") if row["site"] == site}
        known = {
            each["value"]
            for patient in house.of("Patient", site)
            for each in patient["identifier"]
            if each["type"]["coding"][0]["code"] == "MR"
        }
        assert known == stated
        assert len(house.of("Patient", site)) == len(stated)


def test_exchange_numbers_are_of_one_system_in_all_formats(out: Path, house: House) -> None:
    stated = {row["value"] for row in rows(out, "identifiers") if row["kind"] == "PI"}
    systems = {
        each["system"]
        for patient in house.of("Patient")
        for each in patient.get("identifier", ())
        if each["value"] in stated
    }
    assert systems == {"urn:id:RIVEREX"}


def test_visits_come_out_as_they_were(out: Path, house: House) -> None:
    sites = ("family-practice", "hospital", "cardiology")
    stated = Counter(
        (row["site"], row["visit_id"], row["status"], row["visit_class"])
        for row in rows(out, "visits")
        if row["site"] in sites
    )
    found = Counter(
        (site, each["identifier"][0]["value"], each["status"], each["class"]["code"])
        for site in sites
        for each in house.of("Encounter", site)
    )
    assert found == stated


def test_appointments_come_out_as_they_ended(out: Path, house: House) -> None:
    stated = Counter((row["site"], row["booking_id"], row["status"]) for row in rows(out, "bookings"))
    found = Counter(
        (site, each["identifier"][0]["value"], each["status"])
        for site in ("family-practice", "cardiology", "hospital")
        for each in house.of("Appointment", site)
    )
    assert found == stated


def test_results_come_out_with_their_last_value(out: Path, house: House) -> None:
    stated = Counter((row["site"], row["loinc"], row["value"], row["flag"]) for row in rows(out, "results"))
    found: Counter[tuple[str, str, str, str]] = Counter()
    for site in ("family-practice", "hospital", "cardiology"):
        for each in house.of("Observation", site):
            quantity = each.get("valueQuantity")
            value = str(Decimal(str(quantity["value"]))) if quantity else each["valueString"]
            flag = each["interpretation"][0]["coding"][0]["code"] if "interpretation" in each else ""
            found[site, each["code"]["coding"][0]["code"], value, flag] += 1
    assert found == stated
    assert len(house.of("DiagnosticReport")) == len(rows(out, "reports"))


def test_clinical_facts_come_out_once(out: Path, house: House) -> None:
    assert Counter(each["status"] for each in house.of("Immunization")) == Counter(
        row["status"] for row in rows(out, "vaccinations")
    )
    stated = Counter((row["site"], row["icd10"], row["kind"]) for row in rows(out, "problems"))
    found = Counter(
        (site, each["code"]["coding"][0]["code"], each["category"][0]["coding"][0]["code"])
        for site in ("family-practice", "hospital", "cardiology")
        for each in house.of("Condition", site)
    )
    assert found == stated
    assert Counter(each["status"] == "active" for each in house.of("MedicationRequest")) == Counter(
        row["is_active"] == "True" for row in rows(out, "prescriptions")
    )
    assert Counter(each["code"]["coding"][0]["code"] for each in house.of("AllergyIntolerance")) == Counter(
        row["code"] for row in rows(out, "allergies")
    )


def test_account_charges_come_out_with_their_sign(out: Path, house: House) -> None:
    stated = sorted(int(row["cents"]) for row in rows(out, "charges") if row["charge_kind"] == "account")
    found = sorted(int(Decimal(str(each["priceOverride"]["value"])) * 100) for each in house.of("ChargeItem"))
    assert found == stated
