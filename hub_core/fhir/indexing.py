"""What a resource can be found by: the values of its search parameters, ready for an index.

Which parameters a type has, and the ways through its JSON to their values, stand in `search_parameters`. From the type
at the end of a way follows how a value is indexed (R4 section 3.1.1.4). Elements that are not what R4 says are passed
over, as are values too long for an index: such a resource is kept and readable, only not found by that value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from hub_core.fhir.registry import RESOURCE_TYPES
from hub_core.fhir.search_parameters import Kind, SearchParameter, Step, Way, parameters_of, placed
from hub_core.fhir.search_values import EARLIEST, LATEST, LONGEST, fold, interval, is_comparable

if TYPE_CHECKING:
    from datetime import datetime

    from hub_core.fhir.canonical import Json

OF_TYPE: Final = ":of-type"
"""What the name of a parameter ends in where its rows say of which type an identifier is, as `type|value`."""
IDENTIFIER: Final = ":identifier"
"""What the name ends in where the rows are identifiers of what is referred to."""
ELSEWHERE: Final = ""
"""The target type of a reference to something at an address of its own."""
CURRENCY: Final = "urn:iso:std:iso:4217"
_INFINITE: Final = Decimal("Infinity")


@dataclass(frozen=True, slots=True)
class SearchValues:
    """The values of one resource; each list without repetitions, in the order of the resource.

    The place, where there is one, is the repetition of a backbone element that the value stands in.
    """

    tokens: list[tuple[str, str | None, str | None, str | None, int | None]] = field(default_factory=list)
    """(parameter, system, code, folded text that stands for it, place)"""
    strings: list[tuple[str, str, str | None]] = field(default_factory=list)
    """(parameter, folded text, the text as written where that is another)"""
    dates: list[tuple[str, datetime, datetime]] = field(default_factory=list)
    """(parameter, start, end), aware in UTC, the end exclusive"""
    references: list[tuple[str, str, str]] = field(default_factory=list)
    """(parameter, target type, target id)"""
    quantities: list[tuple[str, Decimal, Decimal, str | None, str | None, str | None, int | None]] = field(
        default_factory=list
    )
    """(parameter, least, greatest, system, code, unit, place)"""

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.tokens) + len(self.strings) + len(self.dates) + len(self.references) + len(self.quantities)


_Take: TypeAlias = Callable[[str, Any, SearchValues, int | None], None]


_Taken: TypeAlias = tuple[str, _Take, bool]
"""Of a parameter with values at some place: its name, what takes a value, and whether with its place."""


@dataclass(slots=True)
class _Node:
    """What is looked for at one place in the JSON of a resource, and below it."""

    takes: list[_Taken] = field(default_factory=list)
    children: list[tuple[str, str | None, _Node]] = field(default_factory=list)
    """Below a property; or, with what it must say, in the same place."""

    def below(self, steps: Iterable[Step]) -> _Node:
        """Return the node that steps lead to, made where there is none."""
        node = self
        for step in steps:
            name, said = (step, None) if isinstance(step, str) else step
            known = next((child for key, text, child in node.children if (key, text) == (name, said)), None)
            if known is None:
                known = _Node()
                node.children.append((name, said, known))
            node = known
        return node


def index(resource: Json) -> SearchValues:
    """Return the search values of a resource; none for a type R4 does not have."""
    values = SearchValues()
    plan, facts = _plan(resource.get("resourceType", ""))
    for key, found in resource.items():
        if (node := plan.get(key)) is None:
            continue
        if type(found) is list:
            for place, each in enumerate(found, 1):
                _take(each, node, values, place)
        else:
            _take(found, node, values, None)
    for param, keys in facts:
        said = any(resource.get(key) not in (None, False) for key in keys)
        values.tokens.append((param, None, "true" if said else "false", None, None))
    for several in (values.tokens, values.strings, values.dates, values.references, values.quantities):
        if len(several) > 1:
            several[:] = dict.fromkeys(several)  # type: ignore[arg-type]
    return values


def _take(value: Any, node: _Node, values: SearchValues, place: int | None) -> None:
    for param, take, is_placed in node.takes:
        take(param, value, values, place if is_placed else None)
    if not node.children or type(value) is not dict:
        return
    for name, said, child in node.children:
        if name not in value:
            continue
        found = value[name] if said is None else value if value[name] == said else ()
        for each in found if type(found) is list else (found,):
            _take(each, child, values, place)


@cache
def _plan(resource_type: str) -> tuple[dict[str, _Node], list[tuple[str, tuple[str, ...]]]]:
    """Return what to look for in a type, and which facts it always states."""
    plan = _Node()
    facts = []
    apart = placed(resource_type)
    for parameter in parameters_of(resource_type).values():
        if not parameter.is_stored:
            continue
        if parameter.ways[0].type_name == "fact":
            facts.append((parameter.name, tuple(str(way.steps[0]) for way in parameter.ways)))
            continue
        for way in parameter.ways:
            is_placed = (str(way.steps[0]), parameter.name) in apart
            plan.below(way.steps).takes.append((parameter.name, _taker(parameter, way), is_placed))
    return {name: node for name, _, node in plan.children}, facts


def _taker(parameter: SearchParameter, way: Way) -> _Take:
    if parameter.kind == "reference" and way.type_name == "Reference":
        return _take_reference_to_others if parameter.is_of_patient else _take_reference
    return _TAKERS[parameter.kind][way.type_name]


def _each(value: Any) -> list[Any]:
    """Return the values of an element, one or several as a sender may have written them."""
    return value if type(value) is list else [value]


# What takes a value of each FHIR type. Values come unvalidated, so each looks before it takes.


def _take_coding(param: str, value: Any, values: SearchValues, place: int | None) -> None:
    if type(value) is dict:
        _add_token(param, value.get("system"), value.get("code"), _text(value.get("display")), values, place)


def _take_concept(param: str, value: Any, values: SearchValues, place: int | None) -> None:
    if type(value) is not dict:
        return
    codings, text = value.get("coding"), _text(value.get("text"))
    if type(codings) is list:
        for coding in codings:
            _take_coding(param, coding, values, place)
            if text is not None and type(coding) is dict and text == _text(coding.get("display")):
                text = None
    if text is not None:
        values.tokens.append((param, None, None, text, place))


def _take_identifier(param: str, value: Any, values: SearchValues, place: int | None) -> None:
    if type(value) is not dict:
        return
    number, kind = value.get("value"), value.get("type")
    if type(kind) is not dict:
        _add_token(param, value.get("system"), number, None, values, place)
        return
    _add_token(param, value.get("system"), number, _text(kind.get("text")), values, place)
    if type(number) is str and number:
        for coding in _each(kind.get("coding")):
            if type(coding) is dict and type(code := coding.get("code")) is str and code:
                _add_token(param + OF_TYPE, coding.get("system"), f"{code}|{number}", None, values, None)


def _take_code(param: str, value: Any, values: SearchValues, place: int | None) -> None:
    _add_token(param, None, value, None, values, place)


def _take_boolean(param: str, value: Any, values: SearchValues, place: int | None) -> None:
    if type(value) is bool:
        values.tokens.append((param, None, "true" if value else "false", None, place))


def _take_contact(param: str, value: Any, values: SearchValues, place: int | None) -> None:
    if type(value) is dict:
        _add_token(param, value.get("system"), value.get("value"), None, values, place)


def _add_token(param: str, system: Any, code: Any, text: str | None, values: SearchValues, place: int | None) -> None:
    if type(code) is not str or not code or len(code) > LONGEST or not (system is None or type(system) is str):
        if text is not None:
            values.tokens.append((param, None, None, text, place))
    elif system is None or len(system) <= LONGEST:
        values.tokens.append((param, system or None, code, text, place))


def _text(value: Any) -> str | None:
    return (_folded(value[: 2 * LONGEST]) or None) if type(value) is str else None


@lru_cache(maxsize=8192)
def _folded(text: str) -> str:
    """Return a text folded; what codes are called comes again and again."""
    return fold(text)[:LONGEST]


def _take_string(param: str, value: Any, values: SearchValues, place: int | None) -> None:
    if type(value) is str and (folded := fold(value[: 2 * LONGEST])[:LONGEST]):
        written = value[:LONGEST]
        values.strings.append((param, folded, None if written == folded else written))


def _take_name(param: str, value: Any, values: SearchValues, place: int | None) -> None:
    if type(value) is dict:
        for part in ("family", "given", "prefix", "suffix", "text"):
            if part in value:
                for each in _each(value[part]):
                    _take_string(param, each, values, place)


def _take_address(param: str, value: Any, values: SearchValues, place: int | None) -> None:
    if type(value) is dict:
        for part in ("line", "text", "district", "city", "state", "postalCode", "country"):
            if part in value:
                for each in _each(value[part]):
                    _take_string(param, each, values, place)


def _take_date(param: str, value: Any, values: SearchValues, place: int | None) -> None:
    if type(value) is str and (found := interval(value)):
        values.dates.append((param, *found))


def _take_period(param: str, value: Any, values: SearchValues, place: int | None) -> None:
    if type(value) is not dict:
        return
    start, end = (interval(text) if type(text := value.get(key)) is str else None for key in ("start", "end"))
    if start or end:
        first, last = start or (EARLIEST, EARLIEST), end or (LATEST, LATEST)
        # An end before its start is a mistake of the sender's; the start counts then.
        values.dates.append((param, first[0], max(first[1], last[1])))


def _take_timing(param: str, value: Any, values: SearchValues, place: int | None) -> None:
    if type(value) is dict:
        for event in _each(value.get("event")):
            _take_date(param, event, values, place)
        if type(repeat := value.get("repeat")) is dict:
            _take_period(param, repeat.get("boundsPeriod"), values, place)


def _take_reference(param: str, value: Any, values: SearchValues, place: int | None) -> None:
    if type(value) is not dict:
        return
    if (identifier := value.get("identifier")) is not None:
        _take_contact(param + IDENTIFIER, identifier, values, place)
    text = value.get("reference")
    if type(text) is not str or not text or len(text) > LONGEST:
        return
    target_type, _, rest = text.partition("/")
    if rest and target_type in RESOURCE_TYPES:
        values.references.append((param, target_type, rest.partition("/")[0]))
    elif text[0] != "#":
        values.references.append((param, ELSEWHERE, text))


def _take_reference_to_others(param: str, value: Any, values: SearchValues, place: int | None) -> None:
    """Take a reference unless it is to a patient, which the record keeps in a column."""
    if type(value) is dict:
        text = value.get("reference")
        if type(text) is str and text.startswith("Patient/") and "identifier" not in value:
            return
        before = len(values.references)
        _take_reference(param, value, values, place)
        if len(values.references) > before and values.references[-1][1] == "Patient":
            values.references.pop()


def _take_canonical(param: str, value: Any, values: SearchValues, place: int | None) -> None:
    if type(value) is str and value and len(value) <= LONGEST:
        url, bar, _ = value.partition("|")
        values.references.append((param, ELSEWHERE, url))
        if bar:
            values.references.append((param, ELSEWHERE, value))


def _take_quantity(param: str, value: Any, values: SearchValues, place: int | None) -> None:
    if type(value) is not dict or (number := _number(value.get("value"))) is None:
        return
    least, greatest = number, number
    if comparator := value.get("comparator"):
        least = -_INFINITE if comparator in ("<", "<=") else least
        greatest = _INFINITE if comparator in (">", ">=") else greatest
    _add_quantity(param, least, greatest, value, values, place)


def _take_money(param: str, value: Any, values: SearchValues, place: int | None) -> None:
    if type(value) is dict and (number := _number(value.get("value"))) is not None:
        money = {"system": CURRENCY, "code": value.get("currency"), "unit": value.get("currency")}
        _add_quantity(param, number, number, money, values, place)


def _take_range(param: str, value: Any, values: SearchValues, place: int | None) -> None:
    if type(value) is not dict:
        return
    low, high = (part if type(part := value.get(key)) is dict else {} for key in ("low", "high"))
    least, greatest = _number(low.get("value")), _number(high.get("value"))
    if least is None and greatest is None:
        return
    least, greatest = -_INFINITE if least is None else least, _INFINITE if greatest is None else greatest
    _add_quantity(param, least, max(least, greatest), {**low, **high}, values, place)


def _take_number(param: str, value: Any, values: SearchValues, place: int | None) -> None:
    if (number := _number(value)) is not None:
        values.quantities.append((param, number, number, None, None, None, place))


def _add_quantity(
    param: str, least: Decimal, greatest: Decimal, unit: Json, values: SearchValues, place: int | None
) -> None:
    said = (word if type(word := unit.get(key)) is str and 0 < len(word) <= LONGEST else None for key in _UNIT)
    values.quantities.append((param, least, greatest, *said, place))  # type: ignore[arg-type]


_UNIT: Final = ("system", "code", "unit")


def _number(value: Any) -> Decimal | None:
    if type(value) is float or type(value) is int:
        value = Decimal(str(value))
    return value if isinstance(value, Decimal) and is_comparable(value) else None


_TAKERS: Final[dict[Kind, dict[str, _Take]]] = {
    "token": {
        "CodeableConcept": _take_concept,
        "Coding": _take_coding,
        "ContactPoint": _take_contact,
        "Identifier": _take_identifier,
        "boolean": _take_boolean,
        **dict.fromkeys(("canonical", "code", "id", "string", "uri"), _take_code),
    },
    "string": {
        "Address": _take_address,
        "HumanName": _take_name,
        "markdown": _take_string,
        "string": _take_string,
    },
    "date": {
        "Period": _take_period,
        "Timing": _take_timing,
        "date": _take_date,
        "dateTime": _take_date,
        "instant": _take_date,
    },
    "reference": {"canonical": _take_canonical, "uri": _take_canonical},
    "quantity": {
        "Money": _take_money,
        "Range": _take_range,
        **dict.fromkeys(("Age", "Count", "Distance", "Duration", "Quantity"), _take_quantity),
    },
    "number": {
        "Range": _take_range,
        **dict.fromkeys(("decimal", "integer", "positiveInt", "unsignedInt"), _take_number),
    },
    "uri": dict.fromkeys(("canonical", "oid", "uri", "url", "uuid"), _take_code),
}
