"""The group, its partners and its payers: where care happens, who gives it and who pays for it. Nobody in it exists."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from pipelines.simulation.world import Address, Site

BEGINS = date(2023, 11, 1)
ENDS = date(2026, 10, 31)
"""The simulated time, both days included. Fixed, so that the same seed gives the same bytes on any day."""
END_INSTANT = datetime(2026, 11, 1, 4, 59, 59, tzinfo=UTC)

EXCHANGE = "RIVEREX"
"""Who assigns the number that some sites share."""


@dataclass(frozen=True, slots=True)
class Practice:
    """A site that keeps records of patients."""

    site: Site
    name: str
    facility: str
    """What its messages call it (MSH-4), and who assigns its record numbers."""
    source: str
    """Its system, as feed files name it."""
    zone: ZoneInfo
    npi: str
    tax_id: str
    address: Address
    phone: str


@dataclass(frozen=True, slots=True)
class Clinician:
    """Somebody who treats patients at one site."""

    key: str
    family: str
    given: str
    site: Site
    npi: str
    taxonomy: str


@dataclass(frozen=True, slots=True)
class Payer:
    """Who pays for care."""

    key: str
    name: str
    payer_id: str
    kind: str
    """Claim filing indicator (SBR09): CI commercial, MB Medicare part B, MC Medicaid, BL Blue Cross."""
    tax_id: str
    address: Address


@dataclass(frozen=True, slots=True)
class VisitType:
    """A kind of appointment."""

    key: str
    name: str
    minutes: int


_CHICAGO = ZoneInfo("America/Chicago")
_DENVER = ZoneInfo("America/Denver")

PRACTICES: dict[Site, Practice] = {
    each.site: each
    for each in (
        Practice(
            "family-practice",
            "Riverbend Family Practice",
            "RFP",
            "riverbend-family-practice",
            _CHICAGO,
            "2800020010",
            "991000111",
            Address("400 Maple Street", "Fairhaven", "MO", "63999"),
            "555-0110",
        ),
        Practice(
            "cardiology",
            "Riverbend Cardiology",
            "RCARD",
            "riverbend-cardiology",
            _DENVER,
            "2800020549",
            "992000212",
            Address("12 Summit Avenue", "Aspen Falls", "CO", "81999"),
            "555-0120",
        ),
        Practice(
            "pediatrics",
            "Riverbend Pediatrics",
            "RPED",
            "riverbend-pediatrics-billing",
            _CHICAGO,
            "2800021075",
            "993000313",
            Address("77 Orchard Lane", "Fairhaven", "MO", "63999"),
            "555-0130",
        ),
        Practice(
            "hospital",
            "Riverbend Hospital",
            "RHOSP",
            "riverbend-hospital",
            _CHICAGO,
            "2800021604",
            "994000414",
            Address("1 Hospital Drive", "Fairhaven", "MO", "63999"),
            "555-0140",
        ),
    )
}

CLINICIANS: dict[str, Clinician] = {
    each.key: each
    for each in (
        Clinician("abara", "Abara", "Ngozi", "family-practice", "2900010010", "207Q00000X"),
        Clinician("brandt", "Brandt", "Elise", "family-practice", "2900010382", "207Q00000X"),
        Clinician("castellano", "Castellano", "Rocco", "family-practice", "2900010754", "363LF0000X"),
        Clinician("dufresne", "Dufresne", "Odile", "family-practice", "2900011125", "207Q00000X"),
        Clinician("eklund", "Eklund", "Soren", "family-practice", "2900011497", "363A00000X"),
        Clinician("farahani", "Farahani", "Laleh", "family-practice", "2900011869", "207Q00000X"),
        Clinician("grigoryan", "Grigoryan", "Tigran", "family-practice", "2900012230", "207Q00000X"),
        Clinician("hollis", "Hollis", "Marva", "family-practice", "2900012602", "363LF0000X"),
        Clinician("ibarra", "Ibarra", "Joaquin", "cardiology", "2900012974", "207RC0000X"),
        Clinician("jovanovic", "Jovanovic", "Mira", "cardiology", "2900013345", "207RC0000X"),
        Clinician("kapoor", "Kapoor", "Anil", "cardiology", "2900013717", "207RC0000X"),
        Clinician("lindqvist", "Lindqvist", "Astrid", "pediatrics", "2900014087", "208000000X"),
        Clinician("mbeki", "Mbeki", "Thandi", "pediatrics", "2900014459", "208000000X"),
        Clinician("novak", "Novak", "Petra", "pediatrics", "2900014822", "208000000X"),
        Clinician("okafor", "Okafor", "Chidi", "pediatrics", "2900015191", "363LP0200X"),
        Clinician("pellegrini", "Pellegrini", "Dario", "hospital", "2900015563", "207P00000X"),
        Clinician("quispe", "Quispe", "Rosa", "hospital", "2900015936", "208M00000X"),
        Clinician("rasmussen", "Rasmussen", "Karl", "hospital", "2900016306", "207P00000X"),
        Clinician("sato", "Sato", "Emi", "hospital", "2900016678", "208M00000X"),
        Clinician("tembo", "Tembo", "Grace", "hospital", "2900017049", "208M00000X"),
    )
}

PAYERS: dict[str, Payer] = {
    each.key: each
    for each in (
        Payer(
            "prairie",
            "Prairie Mutual Health",
            "PRMUT1",
            "CI",
            "981000101",
            Address("P.O. Box 100", "Fairhaven", "MO", "63999"),
        ),
        Payer(
            "bluestem",
            "Bluestem Blue",
            "BLSTM2",
            "BL",
            "982000202",
            Address("P.O. Box 111", "Fairhaven", "MO", "63999"),
        ),
        Payer(
            "heartland",
            "Heartland Health Plan",
            "HRTLD3",
            "CI",
            "983000303",
            Address("P.O. Box 122", "Fairhaven", "MO", "63999"),
        ),
        Payer(
            "cornerstone",
            "Cornerstone Benefit Trust",
            "CNRST4",
            "CI",
            "984000404",
            Address("P.O. Box 133", "Fairhaven", "MO", "63999"),
        ),
        Payer(
            "showme-medicaid",
            "Show-Me Medicaid",
            "SMMCD5",
            "MC",
            "985000505",
            Address("P.O. Box 144", "Fairhaven", "MO", "63999"),
        ),
        Payer(
            "medicare",
            "Midland Medicare Contractor",
            "MDMCR6",
            "MB",
            "986000606",
            Address("P.O. Box 155", "Fairhaven", "MO", "63999"),
        ),
    )
}

VISIT_TYPES: dict[str, VisitType] = {
    each.key: each
    for each in (
        VisitType("new", "New patient", 40),
        VisitType("follow-up", "Follow-up", 20),
        VisitType("annual", "Annual wellness visit", 40),
        VisitType("acute", "Acute visit", 20),
        VisitType("well-child", "Well-child visit", 30),
        VisitType("cardiology", "Cardiology consultation", 40),
        VisitType("telehealth", "Video visit", 20),
    )
}
