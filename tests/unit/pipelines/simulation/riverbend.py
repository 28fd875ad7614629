"""One person's small world, made by hand, so that tests can say what a single fact looks like in a message."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from pipelines.simulation.group import EXCHANGE, PRACTICES
from pipelines.simulation.world import (
    Address,
    Chapter,
    Code,
    Demographics,
    Identifier,
    Person,
    Policy,
    Registration,
    Report,
    Result,
    Site,
    Visit,
)

NOON = datetime(2024, 5, 14, 17, tzinfo=UTC)
"""In Fairhaven, where the clocks show summer time."""
COLD = Code("ICD-10-CM", "J06.9", "Cold & cough")
SUGAR = Code("LOINC", "4548-4", "Hemoglobin A1c")

JOSE = Demographics(
    "O'Neill-Nuñez", "José", "M", "Jr", "male", date(1950, 2, 3), Address("5 Elm|Oak St^2", "Fairhaven", "MO", "63999"),
    "555-0199", "jose@riverbend.example", "900112222", "2106-3", "2135-2", "es",
)  # fmt: skip


def registration(site: Site, key: str = "r1", *, since: datetime = NOON - timedelta(days=30)) -> Registration:
    """Return José's registration at a site, with his exchange number and one policy."""
    facility = PRACTICES[site].facility
    policy = Policy("p1", "bluestem", 1, "W12345", "G77", "jose", "self", date(2023, 1, 1), None)
    numbers = (Identifier("MR", facility, f"M-{key}"), Identifier("PI", EXCHANGE, "E-1"))
    return Registration(key, "jose", site, f"M-{key}", numbers, ((since, JOSE),), (policy,))


def visit(site: Site, key: str = "v1", *, at: datetime = NOON, minutes: int | None = 30) -> Visit:
    """Return a visit of José at a site; without minutes it is still going on."""
    clinician = {"family-practice": "abara", "hospital": "sato", "cardiology": "kapoor", "pediatrics": "novak"}[site]
    ended = at + timedelta(minutes=minutes) if minutes is not None else None
    return Visit(key, "r1", site, "AMB", clinician, at, ended, COLD, (COLD,))


def report(site: Site, *, corrected: bool = False) -> Report:
    """Return a report on José's blood sugar, which is too high at first."""
    result = Result("o1", SUGAR, Decimal("7.10"), "%", Decimal("4.0"), Decimal("5.6"), "H")
    if corrected:
        result = replace(result, corrected_value=Decimal("5.10"))
    later = NOON + timedelta(days=1) if corrected else None
    moments = (NOON, NOON + timedelta(minutes=5), NOON + timedelta(hours=6))
    return Report("l1", "r1", site, "v1", "abara", SUGAR, *moments, (result,), later)


def chapter(site: Site, *registrations: Registration) -> Chapter:
    """Return a chapter of José alone, registered at a site."""
    found = registrations or (registration(site),)
    return Chapter(0, [Person("jose", 1, JOSE, None)], {each.registration_id: each for each in found})
