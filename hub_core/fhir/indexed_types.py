"""How a value of each FHIR type is indexed (R4 section 3.1.1.4).

Values come as senders wrote them, so each is looked at before it is taken. What is not what R4 says is passed over, as
is what is too long for an index: such a resource is kept and readable, only not found by that value.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from hub_core.fhir.registry import RESOURCE_TYPES
from hub_core.fhir.search_values import EARLIEST, LATEST, LONGEST, fold, interval, is_comparable

if TYPE_CHECKING:
    from datetime import datetime

    from hub_core.fhir.canonical import Json
    from hub_core.fhir.search_parameters import Kind, SearchParameter, Way

OF_TYPE: Final = ":of-type"
"""What the name of a parameter ends in where its rows say of which type an identifier is, as `type|value`."""
IDENTIFIER: Final = ":identifier"
"""What the name ends in where the rows are identifiers of what is referred to."""
ELSEWHERE: Final = ""
"""The target type of a reference to something at an address of its own."""
CURRENCY: Final = "urn:iso:std:iso:4217"
_INFINITE: Final = Decimal("Infinity")

Quantity: TypeAlias = tuple[str, Decimal, Decimal, str | None, str | None, str | None, int | None, str | None]
"""(parameter, least, greatest, system, code, unit, place, code of what it is a value of)"""


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
    quantities: list[Quantity] = field(default_factory=list)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.tokens) + len(self.strings) + len(self.dates) + len(self.references) + len(self.quantities)


Take: TypeAlias = Callable[[str, Any, SearchValues, int | None], None]
"""Takes a value of a parameter that stands at a place."""


def taker(parameter: SearchParameter, way: Way) -> Take:
    """Return what takes the values that one way of a parameter leads to."""
    if parameter.kind == "reference" and way.type_name == "Reference":
        return _take_reference_to_others if parameter.is_of_patient else _take_reference
    return _TAKERS[parameter.kind][way.type_name]


def _each(value: Any) -> list[Any]:
    """Return the values of an element, one or several as a sender may have written them."""
    return value if type(value) is list else [value]


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
        values.quantities.append((param, number, number, None, None, None, place, None))


def _add_quantity(
    param: str, least: Decimal, greatest: Decimal, unit: Json, values: SearchValues, place: int | None
) -> None:
    said = (word if type(word := unit.get(key)) is str and 0 < len(word) <= LONGEST else None for key in _UNIT)
    values.quantities.append((param, least, greatest, *said, place, None))  # type: ignore[arg-type]


_UNIT: Final = ("system", "code", "unit")


def _number(value: Any) -> Decimal | None:
    if type(value) is float or type(value) is int:
        value = Decimal(str(value))
    return value if isinstance(value, Decimal) and is_comparable(value) else None


_TAKERS: Final[dict[Kind, dict[str, Take]]] = {
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
