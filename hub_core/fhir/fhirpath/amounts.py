"""Quantities: a number with a unit, and which of them can be compared.

This is no UCUM engine. Equal units are compared as they are; besides, these are converted: the calendar's weeks, days,
hours, minutes, seconds and milliseconds (which UCUM's `wk`, `d`, `h`, `min`, `s` and `ms` equal) and, apart from them,
its years and months; grams, metres and litres with their prefixes, inches, feet, pounds and ounces. All others are
neither equal nor different, but not comparable: the answer is empty.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from hub_core.fhir.canonical import Json

UCUM = "http://unitsofmeasure.org"
_PREFIXES = {"k": "1e3", "d": "1e-1", "c": "1e-2", "m": "1e-3", "u": "1e-6", "n": "1e-9", "": "1"}
_CALENDAR = {
    "week": ("time", "604800"),
    "day": ("time", "86400"),
    "hour": ("time", "3600"),
    "minute": ("time", "60"),
    "second": ("time", "1"),
    "millisecond": ("time", "0.001"),
    "year": ("calendar", "12"),
    "month": ("calendar", "1"),
}
_DEFINITE = {"wk": "week", "d": "day", "h": "hour", "min": "minute", "s": "second", "ms": "millisecond"}
_UNITS: dict[str, tuple[str, Decimal]] = {
    **{word: (dimension, Decimal(factor)) for word, (dimension, factor) in _CALENDAR.items()},
    **{code: (_CALENDAR[word][0], Decimal(_CALENDAR[word][1])) for code, word in _DEFINITE.items()},
    **{
        prefix + unit: (unit.lower(), Decimal(factor))
        for unit in ("g", "m", "L", "l")
        for prefix, factor in _PREFIXES.items()
    },
    "[in_i]": ("m", Decimal("0.0254")),
    "[ft_i]": ("m", Decimal("0.3048")),
    "[lb_av]": ("g", Decimal("453.59237")),
    "[oz_av]": ("g", Decimal("28.349523125")),
}


@dataclass(frozen=True, slots=True)
class Amount:
    """A number with a unit, `1` where it has none."""

    number: Decimal
    unit: str = "1"

    def __str__(self) -> str:
        """Return it as FHIRPath writes it: a word of the calendar without quotes, a unit of UCUM in them."""
        if self.unit in _CALENDAR:
            return f"{self.number:f} {self.unit}{'' if self.number == 1 else 's'}"
        return f"{self.number:f} '{self.unit}'"

    @property
    def calendar_unit(self) -> str | None:
        """Return the calendar's word for its unit, if dates can be moved by it."""
        word = self.unit.removesuffix("s") if len(self.unit) > 3 else self.unit
        return word if word in _CALENDAR else _DEFINITE.get(self.unit)

    @property
    def measured(self) -> tuple[str, Decimal]:
        """Return what it measures and the number in a common unit; its own unit where that is not known."""
        dimension, factor = _UNITS.get(self.unit, (f"'{self.unit}'", Decimal(1)))
        return dimension, self.number * factor


def of_quantity(quantity: Json, number: Decimal | None) -> Amount | None:
    """Return what a FHIR Quantity says, its code if that is UCUM's, else the unit as it is written."""
    if number is None:
        return None
    code, unit = quantity.get("code"), quantity.get("unit")
    written: Any = code if isinstance(code, str) and (quantity.get("system") == UCUM or unit is None) else unit
    return Amount(number, written if isinstance(written, str) and written else "1")


def compare(left: Amount, right: Amount) -> int | None:
    """Return below 0, 0 or above 0 as left is less, equal or more; None if the units cannot be compared."""
    dimension, a = left.measured
    other, b = right.measured
    if dimension != other:
        return None
    return 0 if a == b else -1 if a < b else 1
