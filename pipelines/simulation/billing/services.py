"""Which services a visit is charged for: the visit itself by its kind, what was done in it, and vaccines given."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from random import Random
from typing import NamedTuple

from pipelines.simulation.billing.fees import FEES, VACCINE_CODES
from pipelines.simulation.world import Visit


class Service(NamedTuple):
    """One service to be charged."""

    code: str
    modifier: str = ""
    units: int = 1

    @property
    def fee(self) -> int:
        """Return what all units cost, in cents."""
        return FEES[self.code] * self.units


_NEW_BY_AGE = ((1, "99381"), (5, "99382"), (12, "99383"), (18, "99384"), (40, "99385"), (65, "99386"), (200, "99387"))
_KNOWN_BY_AGE = ((1, "99391"), (5, "99392"), (12, "99393"), (18, "99394"), (40, "99395"), (65, "99396"), (200, "99397"))
_NEW_LEVELS = ("99202", "99203", "99203", "99204", "99205")
_KNOWN_LEVELS = ("99212", "99213", "99213", "99213", "99214", "99214", "99214", "99215")
_CHILD_TESTS = ("87880", "87804", "94640", "81002", "69210", "12001", "17110")
_ADULT_TESTS = ("93000", "83036", "81002", "94010", "82962", "17110", "69210", "J0696")
_CHILD_SCREENING = ("96110", "92551", "99173", "85018", "99188", "96127")
_ADULT_SCREENING = ("96127", "93000", "G0444")
_ADULT_AGE = 19


def services_of(
    visit: Visit, born: date, is_new: bool, payer_kind: str, vaccines: Sequence[str], is_drawn: bool, random: Random
) -> list[Service]:
    """Return what a visit is charged for, in the order of the claim's lines.

    Args:
        visit: the visit.
        born: the patient's birth date.
        is_new: whether it is the patient's first at this practice.
        payer_kind: the payer's claim filing indicator; empty without one.
        vaccines: CVX codes of the vaccines given.
        is_drawn: whether blood was taken for a laboratory.
        random: decides the rest.
    """
    age = (visit.started_at.date() - born).days // 365
    is_preventive = visit.diagnoses[0].code.startswith("Z00") if visit.diagnoses else False
    main = _visit_code(age, is_new, is_preventive, payer_kind, random)
    done = list(_done(age, is_preventive, vaccines, is_drawn, random)) if visit.visit_class != "VR" else []
    modifier = "95" if visit.visit_class == "VR" else "25" if done else ""
    return [Service(main, modifier), *done]


def _visit_code(age: int, is_new: bool, is_preventive: bool, payer_kind: str, random: Random) -> str:
    if not is_preventive:
        levels = _NEW_LEVELS if is_new else _KNOWN_LEVELS
        return levels[int(random.random() * len(levels))]
    if payer_kind == "MB":
        return "G0438" if is_new else "G0439"
    return next(code for below, code in (_NEW_BY_AGE if is_new else _KNOWN_BY_AGE) if age < below)


def _done(age: int, is_preventive: bool, vaccines: Sequence[str], is_drawn: bool, random: Random) -> Iterator[Service]:
    is_adult = age >= _ADULT_AGE
    tests = (_ADULT_TESTS, _CHILD_TESTS, _ADULT_SCREENING, _CHILD_SCREENING)[2 * is_preventive + (not is_adult)]
    if random.random() < (0.7 if is_preventive else 0.35):
        yield Service(tests[int(random.random() * len(tests))])
    if is_drawn:
        yield Service("36415")
    products = [VACCINE_CODES[each] for each in vaccines if each in VACCINE_CODES]
    if products:
        first, further = ("90471", "90472") if is_adult else ("90460", "90460")
        yield Service(first)
        if len(products) > 1:
            yield Service(further, "59" if further == first else "", len(products) - 1)
        yield from (Service(product) for product in dict.fromkeys(products))
