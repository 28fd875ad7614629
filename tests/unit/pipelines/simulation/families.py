"""A chapter made by hand for the tests of money: families whose children have the covers of both parents."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from random import Random

from pipelines.simulation.world import (
    Address,
    Chapter,
    Code,
    Demographics,
    Person,
    Policy,
    Registration,
    Site,
    Visit,
)

COLD = Code("ICD-10-CM", "J06.9", "Cold")
COUGH = Code("ICD-10-CM", "R05.9", "Cough")
CHECKUP = Code("ICD-10-CM", "Z00.129", "Checkup")
_PAYERS = ("prairie", "bluestem", "heartland", "cornerstone", "showme-medicaid")
_FIRST_VISIT = datetime(2023, 11, 6, 15, tzinfo=UTC)


def family_chapter(number: int = 1, families: int = 60, visits: int = 8, seed: int = 5) -> Chapter:
    """Return a chapter in which every child has two covers and every second mother pays by herself."""
    chapter, random = Chapter(number), Random(seed)  # noqa: S311
    for household in range(families):
        _family(chapter, household, visits, random)
    return chapter


def registration(site: Site, person_id: str, stated: Demographics, policies: tuple[Policy, ...]) -> Registration:
    """Return a record that a site keeps of a person since the beginning."""
    key = f"{site}-{person_id}"
    return Registration(key, person_id, site, key.upper(), (), ((_FIRST_VISIT, stated),), policies)


def _family(chapter: Chapter, household: int, visits: int, random: Random) -> None:
    name = f"{chapter.number}-{household}"
    mother, father, child = (f"{who}-{name}" for who in ("m", "f", "c"))
    first, second = random.sample(_PAYERS, 2)
    policies = (_policy(child, first, 1, mother, "child"), _policy(child, second, 2, father, "child"))
    own = (_policy(mother, first, 1, mother, "self"),) if household % 2 else ()
    people = {
        mother: _person("Núñez-O'Brien", "María", date(1985, 4, 2)),
        father: _person("Brien", "Sean", date(1984, 1, 30)),
        child: _person("Núñez-O'Brien", f"Kid{household}", date(2020, 2, 29)),
    }
    chapter.persons += (Person(key, household, truth, None) for key, truth in people.items())
    for person_id, site, held in ((child, "pediatrics", policies), (mother, "family-practice", own)):
        record = registration(site, person_id, people[person_id], held)  # type: ignore[arg-type]
        chapter.registrations[record.registration_id] = record
        for count in range(visits):
            chapter.visits.append(_visit(record, count, random))


def _visit(record: Registration, count: int, random: Random) -> Visit:
    started = _FIRST_VISIT + timedelta(days=random.randrange(1080), minutes=15 * random.randrange(20))
    is_pediatric = record.site == "pediatrics"
    return Visit(
        f"v-{record.registration_id}-{count}",
        record.registration_id,
        record.site,
        "VR" if random.random() < 0.05 else "AMB",
        "novak" if is_pediatric else "abara",
        started,
        started + timedelta(minutes=20),
        COLD,
        (CHECKUP,) if is_pediatric and random.random() < 0.4 else (COLD, COUGH),
        is_cancelled=random.random() < 0.03,
    )


def _policy(person_id: str, payer: str, rank: int, holder: str, relationship: str) -> Policy:
    return Policy(
        f"{person_id}/{rank}",
        payer,
        rank,  # type: ignore[arg-type]
        f"M{holder.upper()}".replace("-", ""),
        "G100",
        holder,
        relationship,  # type: ignore[arg-type]
        date(2020, 1, 1),
        None,
    )


def _person(family: str, given: str, born: date) -> Demographics:
    home = Address("12 Oak Street, Apt. 4", "Fairhaven", "MO", "63999")
    return Demographics(family, given, "", "", "female", born, home, "555-0101", "", "", "", "", "en")
