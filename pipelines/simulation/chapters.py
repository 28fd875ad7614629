"""Lets the people of a chapter live: their households, their records at the sites, and three years of their care."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random

from pipelines.simulation.group import BEGINS, CLINICIANS, END_INSTANT, ENDS, EXCHANGE, PAYERS, PRACTICES
from pipelines.simulation.world import (
    Address,
    Allergy,
    Booking,
    BookingChange,
    Chapter,
    Code,
    Demographics,
    Identifier,
    Person,
    Policy,
    Prescription,
    Problem,
    Registration,
    Report,
    Result,
    Site,
    Vaccination,
    Visit,
)

_HYPERTENSION = Code("ICD-10-CM", "I10", "Essential hypertension")
_COLD = Code("ICD-10-CM", "J06.9", "Upper respiratory infection")
_DAYS = (ENDS - BEGINS).days


def live(seed: int, number: int, people: int) -> Chapter:
    """Return everything that happens to exactly `people` persons of a chapter; the same numbers give the same lives."""
    chapter = Chapter(number)
    for index in range(people):
        _live_one(chapter, Random((seed << 40) + (number << 16) + index), index)  # noqa: S311
    return chapter


def _live_one(chapter: Chapter, random: Random, index: int) -> None:
    serial = chapter.number * 1000 + index
    person_id = f"p{serial:07d}"
    is_child = random.random() < 0.3
    born = date(2026 - random.randrange(1, 16) if is_child else 2026 - random.randrange(20, 90), 5, 1 + index % 28)
    truth = Demographics(
        random.choice(("Okonkwo", "Miller", "Garcia", "Nguyen")) + random.choice(("", "son", "ez")),
        random.choice(("Ada", "Ben", "Cora", "Dean", "Ella", "Finn")),
        random.choice("ABCD"),
        "",
        random.choice(("female", "male")),
        born,
        Address(f"{index + 1} Elm Street", "Fairhaven", "MO", "63999"),
        f"555-201-{index:04d}",
        "",
        f"9{serial:08d}",
        "2106-3",
        "2186-5",
        "en",
    )
    chapter.persons.append(Person(person_id, index, truth, None))
    payer = random.choice(tuple(PAYERS))
    policies = (
        Policy(f"{person_id}-1", payer, 1, f"M{serial:08d}", "G100", person_id, "self", date(2020, 1, 1), None),
    )
    sites: tuple[Site, ...] = ("pediatrics", "hospital") if is_child else ("family-practice", "cardiology", "hospital")
    for site in sites:
        _attend(chapter, random, person_id, truth, policies, site)


def _attend(
    chapter: Chapter, random: Random, person_id: str, truth: Demographics, policies: tuple[Policy, ...], site: Site
) -> None:
    key = f"{PRACTICES[site].facility}{person_id}"
    clinicians = [each.key for each in CLINICIANS.values() if each.site == site]
    for count in range(random.randrange(2, 8)):
        started = datetime(2023, 11, 2, 15, tzinfo=END_INSTANT.tzinfo) + timedelta(days=random.randrange(_DAYS - 3))
        if count == 0:
            first = started = started - timedelta(days=started.toordinal() - datetime(2023, 11, 2).toordinal())  # noqa: DTZ001
            chapter.registrations[key] = Registration(
                key,
                person_id,
                site,
                key.upper(),
                (
                    Identifier("MR", PRACTICES[site].facility, key.upper()),
                    *((Identifier("PI", EXCHANGE, person_id),) if site != "pediatrics" else ()),
                ),
                ((first, truth),),
                policies,
            )
        _visit(chapter, random, key, site, random.choice(clinicians), started, f"{key}-{count}")


def _visit(
    chapter: Chapter, random: Random, key: str, site: Site, clinician: str, started: datetime, name: str
) -> None:
    is_stay = site == "hospital" and random.random() < 0.2
    ended = started + (timedelta(days=3) if is_stay else timedelta(minutes=30))
    booking = None
    if site in ("family-practice", "cardiology"):
        booking = f"b{name}"
        made = max(started - timedelta(days=20), datetime(2023, 11, 1, 15, tzinfo=END_INSTANT.tzinfo))
        status = "fulfilled" if random.random() < 0.9 else "noshow"
        changes = (BookingChange(made, "booked", started), BookingChange(started, status, started))  # type: ignore[arg-type]
        chapter.bookings.append(Booking(booking, key, site, clinician, "follow-up", 20, changes))
        if status == "noshow":
            return
    chapter.visits.append(
        Visit(
            f"v{name}",
            key,
            site,
            "IMP" if is_stay else "AMB",
            clinician,
            started,
            ended,
            _COLD,
            (_HYPERTENSION, _COLD),
            booking,
            random.random() < 0.01,
            ((started, "4W"),) if is_stay else (),
        )
    )
    if site != "pediatrics":
        value = Decimal(random.randrange(50, 90)) / 10
        result = Result(
            f"o{name}",
            Code("LOINC", "4548-4", "Hemoglobin A1c"),
            value,
            "%",
            Decimal("4.0"),
            Decimal("5.6"),
            "H" if value > Decimal("5.6") else "",
        )
        panel = Code("LOINC", "4548-4", "Hemoglobin A1c")
        reported = started + timedelta(hours=5)
        chapter.reports.append(
            Report(f"r{name}", key, site, f"v{name}", clinician, panel, started, started, reported, (result,))
        )
    if site == "family-practice" and random.random() < 0.3:
        flu = Code("CVX", "150", "Influenza, quadrivalent, preservative free")
        chapter.vaccinations.append(
            Vaccination(f"i{name}", key, site, f"v{name}", clinician, flu, started, 1, "L123", "SKB", False)
        )
    if site == "cardiology":
        chapter.problems.append(
            Problem(f"c{name}", key, site, f"v{name}", _HYPERTENSION, started.date(), None, started)
        )
        drug = Code("RxNorm", "314076", "lisinopril 10 MG Oral Tablet")
        chapter.prescriptions.append(
            Prescription(f"m{name}", key, site, f"v{name}", clinician, drug, "one daily", started.date(), None)
        )
        penicillin = Code("RxNorm", "70618", "Penicillin")
        chapter.allergies.append(Allergy(f"a{name}", key, site, penicillin, started))
