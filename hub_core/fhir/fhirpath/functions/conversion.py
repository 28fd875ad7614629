"""Conversions between FHIRPath's own types, and the questions whether they succeed (FHIRPath 2.0, 5.5)."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import TypeAlias

from hub_core.fhir.fhirpath import moments
from hub_core.fhir.fhirpath.amounts import Amount
from hub_core.fhir.fhirpath.frame import Evaluator, Frame
from hub_core.fhir.fhirpath.functions.site import Build, Functions, Site
from hub_core.fhir.fhirpath.moments import Moment, MomentKind
from hub_core.fhir.fhirpath.nodes import Nodes
from hub_core.fhir.fhirpath.values import Scalar, made, scalar, single, written

_Convert: TypeAlias = Callable[[Scalar], Scalar | None]

_INTEGER = re.compile(r"[+-]?\d{1,18}", re.ASCII)
_DECIMAL = re.compile(r"[+-]?\d{1,30}(?:\.\d{1,30})?", re.ASCII)
_QUANTITY = re.compile(rf"(?P<number>{_DECIMAL.pattern})\s*(?:'(?P<unit>[^']+)'|(?P<word>[a-z]+))?", re.ASCII)
_TRUE = frozenset({"true", "t", "yes", "y", "1", "1.0"})
_FALSE = frozenset({"false", "f", "no", "n", "0", "0.0"})
_WORDS = frozenset({"year", "month", "week", "day", "hour", "minute", "second", "millisecond"})


def to_boolean(value: Scalar) -> bool | None:
    """Return the boolean that a number or a text stands for."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int | Decimal):
        return bool(value) if value in (0, 1) else None
    if isinstance(value, str):
        folded = value.lower()
        return True if folded in _TRUE else False if folded in _FALSE else None
    return None


def to_integer(value: Scalar) -> int | None:
    """Return the whole number that a boolean or a text stands for."""
    if isinstance(value, int):
        return int(value)
    return int(value) if isinstance(value, str) and _INTEGER.fullmatch(value) else None


def to_decimal(value: Scalar) -> Decimal | None:
    """Return the number that a boolean, a whole number or a text stands for."""
    if isinstance(value, Decimal):
        return value
    if isinstance(value, int):
        return Decimal(int(value))
    return Decimal(value) if isinstance(value, str) and _DECIMAL.fullmatch(value) else None


def to_quantity(value: Scalar) -> Amount | None:
    """Return the quantity that a number or a text (`4 days`, `1 'mg'`) stands for."""
    if isinstance(value, Amount):
        return value
    if isinstance(value, str):
        match = _QUANTITY.fullmatch(value)
        if match is None:
            return None
        word = match["word"] and match["word"].removesuffix("s")
        if word and word not in _WORDS:
            return None
        return Amount(Decimal(match["number"]), match["unit"] or word or "1")
    number = to_decimal(value)
    return None if number is None else Amount(number)


def to_date(value: Scalar) -> Moment | None:
    """Return the date that a text says or a date with a time begins with."""
    if isinstance(value, Moment) and value.kind != "time":
        return Moment("date", value.parts[:3])
    return moments.read(value, "date")


def _to_moment(kind: MomentKind) -> _Convert:
    def convert(value: Scalar) -> Moment | None:
        if isinstance(value, Moment):
            return Moment(kind, value.parts, value.zone) if (value.kind == "time") == (kind == "time") else None
        return moments.read(value, kind)

    return convert


def _conversion(convert: _Convert) -> Build:
    def build(site: Site) -> Evaluator:
        def call(this: Nodes, frame: Frame) -> Nodes:
            value = _input(site, this, frame)
            return [] if value is None else made(convert(value))

        return call

    return build


def _question(convert: _Convert) -> Build:
    def build(site: Site) -> Evaluator:
        def call(this: Nodes, frame: Frame) -> Nodes:
            node = single(site.base(this, frame), f"what {site.name}() is of", site.at)
            if node is None:
                return []
            value = scalar(node)
            return made(value is not None and convert(value) is not None)

        return call

    return build


def _input(site: Site, this: Nodes, frame: Frame) -> Scalar | None:
    node = single(site.base(this, frame), f"what {site.name}() is of", site.at)
    return None if node is None else scalar(node)


_CONVERSIONS: dict[str, _Convert] = {
    "Boolean": to_boolean,
    "Integer": to_integer,
    "Decimal": to_decimal,
    "Quantity": to_quantity,
    "String": written,
    "Date": to_date,
    "DateTime": _to_moment("dateTime"),
    "Time": _to_moment("time"),
}

CONVERSION_FUNCTIONS: Functions = {
    **{f"to{name}": (0, 1 if name == "Quantity" else 0, _conversion(each)) for name, each in _CONVERSIONS.items()},
    **{
        f"convertsTo{name}": (0, 1 if name == "Quantity" else 0, _question(each)) for name, each in _CONVERSIONS.items()
    },
}
