"""What a resource can be found by: the values of its R4 search parameters, ready for an index.

The parameters of each type stand in `registry`. From the type of the element a parameter names follows how it is
indexed (R4 section 3.1.1.4): codes and identifiers as tokens, names and addresses as folded strings, dates and periods
as intervals, references by type and id. `_id` and `patient` are not repeated here: the record keeps both as columns.
Elements that are not what R4 says are passed over, as are values too long for an index: such a resource is kept and
readable, only not found by that value.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from hub_core.fhir import elements
from hub_core.fhir.registry import RESOURCE_TYPES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hub_core.fhir.canonical import Json

EARLIEST: Final = datetime(1, 1, 1, tzinfo=UTC)
"""Where an interval starts whose start is open."""
LATEST: Final = datetime.max.replace(tzinfo=UTC)
"""Where an interval ends whose end is open."""
LONGEST: Final = 200
"""Characters of a string that are indexed, and the longest code or system (B-tree rows hold 2,700 bytes)."""


@dataclass(frozen=True, slots=True)
class SearchValues:
    """The values of one resource; each list without repetitions, in the order of the resource."""

    tokens: list[tuple[str, str | None, str]] = field(default_factory=list)
    """(parameter, system, code)"""
    strings: list[tuple[str, str]] = field(default_factory=list)
    """(parameter, folded text)"""
    dates: list[tuple[str, datetime, datetime]] = field(default_factory=list)
    """(parameter, start, end), aware in UTC, the end exclusive"""
    references: list[tuple[str, str, str]] = field(default_factory=list)
    """(parameter, target type, target id)"""


_Take: TypeAlias = Callable[[str, Any, SearchValues], None]
_Plan: TypeAlias = dict[str, list[tuple[tuple[str, ...], str, _Take]]]
"""By property: for each parameter whose way begins there the rest of the way, its name, and what takes the value."""


def index(resource: Json) -> SearchValues:
    """Return the search values of a resource; none for a type R4 does not have."""
    values = SearchValues()
    plan = _plan(resource.get("resourceType", ""))
    for key, found in resource.items():
        for way, param, take in plan.get(key, ()):
            if way or type(found) is list:
                for each in _reach(found, way):
                    take(param, each, values)
            else:
                take(param, found, values)
    for several in (values.tokens, values.strings, values.dates, values.references):
        if len(several) > 1:
            several[:] = dict.fromkeys(several)  # type: ignore[arg-type]
    return values


def fold(text: str) -> str:
    """Return text as strings are indexed and compared: without case, accents and doubled spaces."""
    if not text.isascii():
        decomposed = unicodedata.normalize("NFKD", text)
        text = "".join(character for character in decomposed if not unicodedata.combining(character))
    return " ".join(text.casefold().split())


_DATE = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(T\d\d:\d\d(?::\d\d(?P<fraction>\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)?)?)?)?", re.ASCII
)


def interval(text: str) -> tuple[datetime, datetime] | None:
    """Return the (start, exclusive end) a FHIR date, dateTime or instant stands for; None if it is none.

    `2020` is the year, `2020-03` the month, a time the smallest unit it is written in. What names no zone is UTC.
    """
    match = _DATE.fullmatch(text)
    if match is None:
        return None
    try:
        start, unit = _start(text, match)
    except (ValueError, OverflowError):
        return None
    if unit is not None:
        return start, min(start, LATEST - unit) + unit
    year, month = (start.year, start.month + 1) if match[2] else (start.year + 1, 1)
    if month > 12:
        year, month = year + 1, 1
    return start, LATEST if year > 9999 else start.replace(year=year, month=month)


def _start(text: str, match: re.Match[str]) -> tuple[datetime, timedelta | None]:
    """Return the start of an interval and its length; None for what has no fixed one, a month or a year."""
    if not match[4]:
        start = datetime(int(match[1]), int(match[2] or 1), int(match[3] or 1), tzinfo=UTC)
        return start, _DAY if match[3] else None
    moment = datetime.fromisoformat(text)
    moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    if fraction := match["fraction"]:
        return moment, _MILLISECOND if len(fraction) <= 4 else _MICROSECOND
    return moment, _SECOND if text[16:17] == ":" else _MINUTE


_DAY, _MINUTE, _SECOND = timedelta(days=1), timedelta(minutes=1), timedelta(seconds=1)
_MILLISECOND, _MICROSECOND = timedelta(milliseconds=1), timedelta(microseconds=1)


def _reach(node: Any, way: tuple[str, ...]) -> Iterator[Any]:
    if type(node) is list:
        for child in node:
            yield from _reach(child, way)
    elif not way:
        yield node
    elif type(node) is dict and way[0] in node:
        yield from _reach(node[way[0]], way[1:])


# What takes a value of each FHIR type. Values come unvalidated, so each looks before it takes.


def _take_coding(param: str, value: Any, values: SearchValues) -> None:
    if type(value) is dict:
        _add_token(param, value.get("system"), value.get("code"), values)


def _take_concept(param: str, value: Any, values: SearchValues) -> None:
    codings = value.get("coding") if type(value) is dict else None
    if type(codings) is list:
        for coding in codings:
            _take_coding(param, coding, values)


def _take_identifier(param: str, value: Any, values: SearchValues) -> None:
    if type(value) is dict:
        _add_token(param, value.get("system"), value.get("value"), values)


def _take_code(param: str, value: Any, values: SearchValues) -> None:
    _add_token(param, None, value, values)


def _take_boolean(param: str, value: Any, values: SearchValues) -> None:
    if type(value) is bool:
        values.tokens.append((param, None, "true" if value else "false"))


def _take_contact(param: str, value: Any, values: SearchValues) -> None:
    if type(value) is dict:
        kind, number = value.get("system"), value.get("value")
        _add_token(param, kind, number, values)
        if kind in ("phone", "email"):
            _add_token(kind, None, number, values)


def _take_string(param: str, value: Any, values: SearchValues) -> None:
    if type(value) is str and (folded := fold(value[: 2 * LONGEST])):
        values.strings.append((param, folded[:LONGEST]))


def _take_name(param: str, value: Any, values: SearchValues) -> None:
    if type(value) is not dict:
        return
    for part in ("family", "given", "prefix", "suffix", "text"):
        for each in _reach(value.get(part), ()):
            _take_string(param, each, values)
            if part in ("family", "given"):
                _take_string(part, each, values)


_ADDRESS_PARTS: Final = (
    ("line", None),
    ("text", None),
    ("district", None),
    ("city", "address-city"),
    ("state", "address-state"),
    ("postalCode", "address-postalcode"),
    ("country", "address-country"),
)


def _take_address(param: str, value: Any, values: SearchValues) -> None:
    if type(value) is not dict:
        return
    for part, own_param in _ADDRESS_PARTS:
        for each in _reach(value.get(part), ()):
            _take_string(param, each, values)
            if own_param:
                _take_string(own_param, each, values)


def _take_date(param: str, value: Any, values: SearchValues) -> None:
    if type(value) is str and (found := interval(value)):
        values.dates.append((param, *found))


def _take_period(param: str, value: Any, values: SearchValues) -> None:
    if type(value) is not dict:
        return
    start, end = (interval(text) if type(text := value.get(key)) is str else None for key in ("start", "end"))
    if start or end:
        first, last = start or (EARLIEST, EARLIEST), end or (LATEST, LATEST)
        # An end before its start is a mistake of the sender's; the start counts then.
        values.dates.append((param, first[0], max(first[1], last[1])))


def _take_timing(param: str, value: Any, values: SearchValues) -> None:
    if type(value) is dict:
        for event in _reach(value.get("event"), ()):
            _take_date(param, event, values)
        for bounds in _reach(value.get("repeat"), ("boundsPeriod",)):
            _take_period(param, bounds, values)


def _take_reference(param: str, value: Any, values: SearchValues) -> None:
    text = value.get("reference") if type(value) is dict else None
    if type(text) is not str or len(text) > LONGEST:
        return
    target_type, _, rest = text.partition("/")
    if rest and target_type in RESOURCE_TYPES:
        values.references.append((param, target_type, rest.partition("/")[0]))


def _add_token(param: str, system: Any, code: Any, values: SearchValues) -> None:
    if type(code) is not str or not code or len(code) > LONGEST:
        return
    if system is None or (type(system) is str and len(system) <= LONGEST):
        values.tokens.append((param, system or None, code))


_TAKERS: Final[dict[str, _Take]] = {
    "Address": _take_address,
    "CodeableConcept": _take_concept,
    "Coding": _take_coding,
    "ContactPoint": _take_contact,
    "HumanName": _take_name,
    "Identifier": _take_identifier,
    "Period": _take_period,
    "Reference": _take_reference,
    "Timing": _take_timing,
    "boolean": _take_boolean,
    "code": _take_code,
    "date": _take_date,
    "dateTime": _take_date,
    "instant": _take_date,
    "string": _take_string,
}


@cache
def _plan(resource_type: str) -> _Plan:
    """Return what to look for in a type: its own parameters, and `identifier` and `status` where it has them."""
    known = RESOURCE_TYPES.get(resource_type)
    plan: _Plan = {}
    if known is None:
        return plan
    lines = [*(name for name in ("identifier", "status") if elements.element(resource_type, name)), *known.search]
    for line in lines:
        for key, way, param, take in _steps(resource_type, line):
            plan.setdefault(key, []).append((way, param, take))
    return plan


def _steps(resource_type: str, line: str) -> Iterator[tuple[str, tuple[str, ...], str, _Take]]:
    param, _, path = line.partition("=")
    for way, type_name in _ways(resource_type, tuple((path or param).split("."))):
        if take := _TAKERS.get(type_name):
            yield way[0], way[1:], param if path else _kebab(param), take


def _ways(type_name: str, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield each way through JSON that a path can take, with the type at its end: one per type of a choice."""
    if not path:
        yield (), type_name
        return
    name, rest = path[0], path[1:]
    json_elements = elements.json_elements(type_name)
    choice = elements.element(type_name, name)
    for key in [choice.json_name(each) for each in choice.types] if choice else [name]:
        for way, leaf in _ways(json_elements[key][0], rest):
            yield (key, *way), leaf


def _kebab(name: str) -> str:
    return re.sub("[A-Z]", lambda upper: "-" + upper[0].lower(), name)
