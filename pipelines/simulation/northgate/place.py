"""Northgate as it opens: its address, hours and rooms, who works there, which visits can be booked. Nobody exists."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time
from typing import Final
from zoneinfo import ZoneInfo

from pipelines.simulation.group import PAYERS, PRACTICES

KEY: Final = "northgate"
SOURCE: Final = "wholechart"
"""What the core calls itself as a source of records."""
ZONE: Final = ZoneInfo("America/Chicago")
OPENS: Final = date(2026, 10, 1)
ENDS: Final = date(2026, 10, 31)
"""The month that is told, the last of the simulated time."""
CLOSED_ON: Final = date(2026, 10, 12)
"""A holiday on which nobody is there."""
SESSIONS: Final = ((time(8), time(12)), (time(13), time(16)))
"""When clinicians see patients, Monday to Friday, on the clock on the wall."""
MINUTES: Final = {"new": 40, "follow-up": 20, "annual": 40}
ROOMS: Final = ("Room 1", "Room 2", "Room 3")

DESK, MANAGER, PRIVACY, STRANGER = "osei", "vance", "winter", "yardley"
"""Log-in names of those who are no clinicians; the stranger sits at the desk of another location."""


@dataclass(frozen=True, slots=True)
class Worker:
    """Somebody who works in the group, and what they may do where."""

    name: str
    family: str
    given: str
    role: str
    location: str
    npi: str = ""
    taxonomy: str = ""


WORKERS: Final = (
    Worker(MANAGER, "Vance", "Imogen", "manager", KEY),
    Worker(DESK, "Osei", "Kwame", "front_desk", KEY),
    Worker(PRIVACY, "Winter", "Salome", "privacy_officer", KEY),
    Worker("tanaka", "Tanaka", "Hiro", "clinician", KEY, "2900017429", "207Q00000X"),
    Worker("uribe", "Uribe", "Paloma", "clinician", KEY, "2900017791", "207Q00000X"),
    Worker("zeller", "Zeller", "Franka", "clinician", KEY, "2900018161", "363LF0000X"),
    Worker(STRANGER, "Yardley", "Bram", "front_desk", "family-practice"),
)
CLINICIANS: Final = tuple(each.name for each in WORKERS if each.role == "clinician")

_NAMES: Final = {"new": "New patient", "follow-up": "Follow-up", "annual": "Annual wellness visit"}


def described() -> dict[str, object]:
    """Return everything that must be there before the month begins, in words that any system understands."""
    other = PRACTICES["family-practice"]
    return {
        "organization": {"name": "Riverbend Northgate", "npi": "2800022131", "tax_id": "995000515"},
        "locations": [
            {
                "key": KEY,
                "name": "Riverbend Northgate",
                "zone": ZONE.key,
                "npi": "2800022131",
                "phone": "555-0150",
                "address": {"line": "9 Gate Street", "city": "Fairhaven", "state": "MO", "postal_code": "63999"},
            },
            {
                "key": other.site,
                "name": other.name,
                "zone": other.zone.key,
                "npi": other.npi,
                "phone": other.phone,
                "address": {
                    "line": other.address.line,
                    "city": other.address.city,
                    "state": other.address.state,
                    "postal_code": other.address.postal_code,
                },
            },
        ],
        "rooms": list(ROOMS),
        "payers": [{"number": each.payer_id, "name": each.name, "kind": each.kind} for each in PAYERS.values()],
        "workers": [
            {
                "name": each.name,
                "family": each.family,
                "given": each.given,
                "role": each.role,
                "location": each.location,
                "npi": each.npi,
                "taxonomy": each.taxonomy,
            }
            for each in WORKERS
        ],
        "visit_types": [{"key": key, "name": _NAMES[key], "minutes": minutes} for key, minutes in MINUTES.items()],
        "sessions": [{"starts": str(starts), "ends": str(ends)} for starts, ends in SESSIONS],
        "opens": OPENS.isoformat(),
        "closed_on": CLOSED_ON.isoformat(),
    }
