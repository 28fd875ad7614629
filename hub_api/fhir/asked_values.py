"""The values of one search parameter, read from text (R4 section 3.1.1.4)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, cast

from ehr_pm.record.searching.criteria import (
    Address,
    Amount,
    Interval,
    Prefix,
    Reference,
    Text,
    Token,
    TokenText,
    Value,
)
from hub_core.clock import now
from hub_core.errors import UnreadableError
from hub_core.fhir.indexed_types import ELSEWHERE
from hub_core.fhir.registry import RESOURCE_TYPES
from hub_core.fhir.search_parameters import SearchParameter
from hub_core.fhir.search_values import EARLIEST, LATEST, interval, number

_PREFIXES: Final = frozenset({"eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"})
_ABOUT: Final = Decimal("0.1")
"""What `ap` allows: a tenth of a number, or of the time between a date and now."""


def unsupported(param: str, what: str = "this modifier is not supported here") -> UnreadableError:
    """Return a refusal: passing over a modifier would change the answer (R4 section 3.1.1.4.1)."""
    return UnreadableError(what, location=param, code="not-supported")


def split(value: str, separator: str = ",") -> Iterator[str]:
    r"""Yield the parts of a value, as they are written: behind `\` a character stands for itself."""
    start, place = 0, 0
    while place < len(value):
        if value[place] == "\\":
            place += 1
        elif value[place] == separator:
            yield value[start:place]
            start = place + 1
        place += 1
    yield value[start:]


def plain(value: str) -> str:
    r"""Return what a part stands for: `\,` `\|` `\$` `\\` are these characters."""
    characters = iter(value)
    return "".join(next(characters, "\\") if character == "\\" else character for character in characters)


def read_value(known: SearchParameter, modifier: str, text: str, base: str) -> Value:
    """Return a value to compare with.

    Args:
        known: the parameter.
        modifier: what stands behind the colon, if anything.
        text: the value as it is written, one alternative.
        base: address of this server, for references written in full.

    Raises:
        UnreadableError: for a modifier the parameter has not, or a value it cannot have.
    """
    match known.kind:
        case "string":
            return _string(known.name, modifier, plain(text))
        case "token":
            return _token(known.name, modifier, text)
        case "date":
            _only(known.name, modifier)
            return read_interval(known.name, plain(text))
        case "reference":
            return _reference(known, modifier, plain(text), base)
        case "uri":
            return _address(known.name, modifier, plain(text))
        case "quantity" | "number":
            _only(known.name, modifier)
            return _amount(known, text)
        case "composite":
            raise unsupported(known.name)


def read_interval(param: str, text: str) -> Interval:
    """Return the interval a date stands for, behind its prefix if any.

    Raises:
        UnreadableError: if it is no date.
    """
    prefix, date = _prefixed(text)
    # A plus sign in an address is a space once decoded; where a date has one, only a zone can be meant.
    span = interval(date.replace(" ", "+"))
    if span is None:
        raise UnreadableError(
            "a date such as 2024, 2024-05, 2024-05-17 or 2024-05-17T10:30Z was expected, after eq, ne, gt, lt, ge, le,"
            " sa, eb or ap if any",
            location=param,
            code="value",
        )
    if prefix == "ap":
        return Interval(prefix, *_widened(*span, now()))
    return Interval(prefix, *span)


def read_token(param: str, text: str) -> Token:
    """Return a token from `code`, `system|code`, `|code` or `system|`.

    Raises:
        UnreadableError: if it has neither system nor code.
    """
    system, *rest = split(text, "|")
    if not rest:
        return Token(plain(text), any_system=True)
    system, code = plain(system), plain("|".join(rest))
    if not system and not code:
        raise UnreadableError("a code, a system, or both were expected", location=param, code="value")
    return Token(code or None, system or None)


def _only(param: str, modifier: str, *allowed: str) -> None:
    if modifier and modifier not in allowed:
        raise unsupported(param)


def _prefixed(text: str) -> tuple[Prefix, str]:
    return (cast(Prefix, text[:2]), text[2:]) if text[:2] in _PREFIXES else ("eq", text)


def _widened(start: datetime, end: datetime, moment: datetime) -> tuple[datetime, datetime]:
    """Return an interval with a tenth of the time to or since now on either side."""
    gap = start - moment if moment < start else moment - end if end < moment else timedelta()
    return start - min(gap / 10, start - EARLIEST), end + min(gap / 10, LATEST - end)


def _string(param: str, modifier: str, text: str) -> Text:
    _only(param, modifier, "exact", "contains")
    return Text(text, "exact" if modifier == "exact" else "part" if modifier == "contains" else "start")


def _token(param: str, modifier: str, text: str) -> Token | TokenText:
    if modifier == "text":
        return TokenText(plain(text))
    if modifier == "of-type":
        parts = [plain(part) for part in split(text, "|")]
        if len(parts) != 3 or not all(parts):
            raise UnreadableError("system|code|value was expected", location=param, code="value")
        return Token(f"{parts[1]}|{parts[2]}", parts[0])
    _only(param, modifier, "not")
    return read_token(param, text)


def _address(param: str, modifier: str, text: str) -> Address:
    _only(param, modifier, "below", "above")
    return Address(text, "below" if modifier == "below" else "above" if modifier == "above" else "whole")


def _reference(known: SearchParameter, modifier: str, text: str, base: str) -> Reference | Token:
    if modifier == "identifier":
        return read_token(known.name, text)
    if modifier and modifier not in RESOURCE_TYPES:
        raise unsupported(known.name)
    if all(way.type_name != "Reference" for way in known.ways):
        return Reference(text, ELSEWHERE)
    text = text.removeprefix(f"{base}/")
    if "://" in text or text.startswith("urn:"):
        return Reference(text, ELSEWHERE)
    target_type, slash, target_id = text.rpartition("/")
    if not slash:
        return Reference(target_id, modifier or None)
    if target_type not in RESOURCE_TYPES or modifier not in ("", target_type):
        raise UnreadableError("a reference such as Patient/<id> was expected", location=known.name, code="value")
    return Reference(target_id, target_type)


def _amount(known: SearchParameter, text: str) -> Amount:
    written, *unit = (plain(part) for part in split(text, "|"))
    prefix, digits = _prefixed(written)
    found = number(digits.replace(" ", "+"))
    if found is None or len(unit) not in ((0, 2) if known.kind == "quantity" else (0,)):
        raise UnreadableError(
            "a number such as 5.4, 5.4|http://unitsofmeasure.org|mg or 5.4||mg was expected, after a prefix if any"
            if known.kind == "quantity"
            else "a number was expected, after a prefix if any",
            location=known.name,
            code="value",
        )
    value, half = found
    around = abs(value) * _ABOUT if prefix == "ap" else half
    system, code = unit or ("", "")
    return Amount(prefix, value, value - around, value + around, (system or None) if code else None, code or None)
