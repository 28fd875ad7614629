"""One value that is asked for, as SQL about one row of the index."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

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
from hub_core.fhir.search_values import LONGEST, fold

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hub_core.fhir.search_parameters import Kind

TABLES: Final[Mapping[Kind, str]] = {
    "token": "search_token",
    "uri": "search_token",
    "string": "search_string",
    "date": "search_date",
    "reference": "search_reference",
    "quantity": "search_quantity",
    "number": "search_quantity",
}


_COMPARED: Final[Mapping[Prefix, tuple[str, str]]] = {
    "gt": ("greatest", ">"),
    "lt": ("least", "<"),
    "ge": ("greatest", ">="),
    "le": ("least", "<="),
    "sa": ("least", ">"),
    "eb": ("greatest", "<"),
}
"""Of a number that may be from the least to the greatest: which end is compared, and how."""


class Bound:
    """The values of a statement being written, and the placeholder each goes by."""

    def __init__(self) -> None:
        """Begin with none."""
        self.values: dict[str, Any] = {}

    def add(self, value: object) -> str:
        """Return the placeholder of one more value."""
        name = f"p{len(self.values)}"
        self.values[name] = value
        return f"%({name})s"


def row_condition(value: Value, row: str, bound: Bound) -> str:
    """Return whether a row of the index, known by its alias, has a value."""
    match value:
        case Token():
            return _token(value, row, bound)
        case TokenText(text):
            return f"{row}.text LIKE {bound.add(_pattern(fold(text)))}"
        case Text():
            return _text(value, row, bound)
        case Interval():
            return interval_condition(value, f"{row}.starts_at", f"{row}.ends_at", bound)
        case Amount():
            return _amount(value, row, bound)
        case Reference(target_id, None):
            return f"{row}.target_id = {bound.add(target_id)}"
        case Reference(target_id, target_type):
            return f"{row}.target_id = {bound.add(target_id)} AND {row}.target_type = {bound.add(target_type)}"
        case Address():
            return _address(value, row, bound)


def interval_condition(sought: Interval, starts: str, ends: str, bound: Bound) -> str:
    """Compare a resource's interval with the sought one, as R4 section 3.1.1.4.3 tells for each prefix."""
    low, high = bound.add(sought.starts_at), bound.add(sought.ends_at)
    within = f"({starts} >= {low} AND {ends} <= {high})"
    conditions: dict[Prefix, str] = {
        "eq": within,
        "ne": f"NOT {within}",
        "gt": f"{ends} > {high}",
        "lt": f"{starts} < {low}",
        "ge": f"({ends} > {high} OR {within})",
        "le": f"({starts} < {low} OR {within})",
        "sa": f"{starts} >= {high}",
        "eb": f"{ends} <= {low}",
        "ap": f"({starts} < {high} AND {ends} > {low})",
    }
    return conditions[sought.prefix]


def _token(token: Token, row: str, bound: Bound) -> str:
    conditions = []
    if token.code is not None:
        conditions.append(f"{row}.code = {bound.add(token.code)}")
    if not token.any_system:
        conditions.append(
            f"{row}.system IS NULL" if token.system is None else f"{row}.system = {bound.add(token.system)}"
        )
    return " AND ".join(conditions) or "false"


def _text(text: Text, row: str, bound: Bound) -> str:
    folded = fold(text.value)
    if text.match == "exact":
        written = bound.add(text.value[:LONGEST])
        return f"{row}.value = {bound.add(folded[:LONGEST])} AND coalesce({row}.written, {row}.value) = {written}"
    return f"{row}.value LIKE {bound.add(_pattern(folded, part=text.match == 'part'))}"


def _pattern(text: str, *, part: bool = False) -> str:
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%" if part else f"{escaped}%"


def _amount(sought: Amount, row: str, bound: Bound) -> str:
    """Compare numbers as R4 section 3.1.1.4.6 tells: only being equal depends on how exactly a number is written."""
    least, greatest = f"{row}.least", f"{row}.greatest"
    if sought.prefix in ("eq", "ne", "ap"):
        low, high = bound.add(sought.low), bound.add(sought.high)
        within = f"({least} >= {low} AND {greatest} < {high})"
        around = f"({least} <= {high} AND {greatest} >= {low})"
        text = {"eq": within, "ne": f"NOT {within}", "ap": around}[sought.prefix]
    else:
        end, sign = _COMPARED[sought.prefix]
        text = f"{row}.{end} {sign} {bound.add(sought.value)}"
    return " AND ".join([*_of_code(sought, row, bound), text, *_unit(sought, row, bound)])


def _of_code(sought: Amount, row: str, bound: Bound) -> list[str]:
    if len(sought.of_codes) == 1:
        return [f"{row}.of_code = {bound.add(sought.of_codes[0])}"]
    return [f"{row}.of_code = ANY({bound.add(list(sought.of_codes))})"] if sought.of_codes else []


def _unit(sought: Amount, row: str, bound: Bound) -> list[str]:
    if sought.unit is None:
        return []
    unit = bound.add(sought.unit)
    if sought.system is None:
        return [f"({row}.code = {unit} OR {row}.unit = {unit})"]
    return [f"{row}.code = {unit} AND {row}.system = {bound.add(sought.system)}"]


def _address(address: Address, row: str, bound: Bound) -> str:
    if address.match == "whole":
        return f"{row}.code = {bound.add(address.value)}"
    if address.match == "above":
        ends = [place for place, letter in enumerate(address.value) if letter == "/"]
        above = {address.value} | {address.value[: place + more] for place in ends for more in (0, 1)}
        return f"{row}.code = ANY({bound.add(sorted(above))})"
    below = bound.add(_pattern(address.value.rstrip("/") + "/"))
    return f"({row}.code = {bound.add(address.value)} OR {row}.code LIKE {below})"
