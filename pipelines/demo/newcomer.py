"""Somebody who comes to the family practice after the simulated time: a registration, a visit, a report, a booking."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from random import Random

from pipelines.simulation.group import END_INSTANT, PRACTICES
from pipelines.simulation.world import (
    Address,
    Booking,
    BookingChange,
    Chapter,
    Code,
    Demographics,
    Identifier,
    Person,
    Registration,
    Report,
    Result,
    Visit,
)

FIRST_CHAPTER = 90_000
"""Numbers of chapters that no simulated group is large enough to have; each newcomer is one of them."""
LAST_CHAPTER = 99_999

_A1C = Code("LOINC", "4548-4", "Hemoglobin A1c")
_SITE = PRACTICES["family-practice"]
_GIVEN = ("Robin", "Sasha", "Quinn", "Rowan", "Marlow", "Juniper")
_FAMILY = ("Lightfoot", "Amberly", "Castile", "Northcott", "Okonjo", "Vasquez")


def newcomer(number: int) -> Chapter:
    """Return the chapter of a newcomer; each comes an hour after the one before."""
    random, key = Random(number), f"live{number}"  # noqa: S311 - nothing is secret here
    since = END_INSTANT + timedelta(hours=number - FIRST_CHAPTER + 1)
    stated = _demographics(random)
    registration_id, visit_id, clinician = f"RFP{key}", f"RFPV{key}", "abara"
    chapter = Chapter(number)
    chapter.persons.append(Person(key, number, stated, None))
    mrn = Identifier("MR", _SITE.facility, f"L{number}")
    chapter.registrations[registration_id] = Registration(
        registration_id, key, _SITE.site, mrn.value, (mrn,), ((since, stated),), ()
    )
    chapter.visits.append(
        Visit(
            visit_id,
            registration_id,
            _SITE.site,
            "AMB",
            clinician,
            since + timedelta(minutes=5),
            None,
            Code("ICD-10-CM", "R53.83", "Other fatigue"),
            (),
        )
    )
    drawn = since + timedelta(minutes=10)
    chapter.reports.append(
        Report(
            f"RFPR{key}",
            registration_id,
            _SITE.site,
            visit_id,
            clinician,
            _A1C,
            drawn,
            drawn,
            drawn + timedelta(minutes=10),
            (_hemoglobin(random, f"RFPR{key}-1"),),
        )
    )
    at, starts = since + timedelta(minutes=30), since + timedelta(days=14)
    chapter.bookings.append(
        Booking(
            f"RFPB{key}",
            registration_id,
            _SITE.site,
            clinician,
            "follow-up",
            20,
            (
                BookingChange(at, "booked", starts),
                BookingChange(at + timedelta(minutes=10), "rescheduled", starts + timedelta(days=1)),
            ),
        )
    )
    return chapter


def _hemoglobin(random: Random, result_id: str) -> Result:
    value = Decimal(random.randrange(52, 79)).scaleb(-1)
    high = Decimal("5.6")
    return Result(
        result_id,
        Code("LOINC", "4548-4", "Hemoglobin A1c"),
        value,
        "%",
        Decimal("4.0"),
        high,
        "H" if value > high else "",
    )


def _demographics(random: Random) -> Demographics:
    return Demographics(
        family=random.choice(_FAMILY),
        given=random.choice(_GIVEN),
        middle="",
        suffix="",
        gender=random.choice(("female", "male")),
        birth_date=date(random.randrange(1950, 2004), random.randrange(1, 13), random.randrange(1, 29)),
        address=Address(f"{random.randrange(1, 900)} Harbor Street", "Fairhaven", "MO", "63999"),
        phone="",
        email="",
        ssn="",
        race="",
        ethnicity="",
        language="en",
    )
