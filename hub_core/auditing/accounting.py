"""The accounting of disclosures that a patient may ask for: six years, without treatment, payment and operations.

45 CFR 164.528: date, recipient with address if known, what, and why; (a)(1) says what is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from hub_core.auditing import disclosures
from hub_core.auditing.disclosures import Disclosure

if TYPE_CHECKING:
    import psycopg

_YEARS: Final = 6

PURPOSES: Final[Mapping[str, str]] = {
    "required-by-law": "required by law",
    "public-health": "public health",
    "abuse-report": "report of abuse, neglect or domestic violence",
    "health-oversight": "health oversight",
    "judicial": "judicial or administrative proceeding",
    "law-enforcement": "law enforcement",
    "decedents": "coroner, medical examiner or funeral director",
    "organ-donation": "organ, eye or tissue donation",
    "research": "research without the patient's authorization",
    "serious-threat": "to avert a serious threat to health or safety",
    "government-function": "military or other government function",
    "workers-compensation": "workers' compensation",
    "mistake": "made by mistake",
}
"""Why records were given out, where that is accounted for (45 CFR 164.512, and what no rule allowed)."""

NOT_ACCOUNTED: Final = frozenset(
    {"TREAT", "ETREAT", "BTG", "HPAYMT", "HOPERAT", "PATRQT", "authorization", "directory", "limited-data-set"}
)
"""Purposes that are left out (45 CFR 164.528(a)(1)); whoever discloses may keep such a disclosure all the same."""


def accounting(connection: psycopg.Connection[Any], patient_ids: list[UUID], asked_at: datetime) -> list[Disclosure]:
    """Return what a patient asking at a moment is told, oldest first."""
    found = disclosures.of_patients(connection, patient_ids, _six_years_before(asked_at))
    return [each for each in found if each.purpose not in NOT_ACCOUNTED and each.disclosed_at <= asked_at]


def _six_years_before(moment: datetime) -> datetime:
    leap_day = (moment.month, moment.day) == (2, 29)
    return moment.replace(year=moment.year - _YEARS, day=28 if leap_day else moment.day)
