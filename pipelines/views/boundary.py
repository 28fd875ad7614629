"""`lowBoundary()` and `highBoundary()`: the least and the greatest value that what is written may stand for.

FHIRPath 6.5 (http://hl7.org/fhirpath): a value is as exact as it is written, so `1.0` is from 0.95 to 1.05, and a day
without a zone begins where days begin first (+14:00) and ends where they end last (-12:00). Time is in milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from pipelines.views.dialects.dialect import Dialect
from pipelines.views.value import Value, ViewRefusedError


@dataclass(frozen=True, slots=True)
class _Edge:
    """What one edge of the known is completed with."""

    sign: str
    month_and_day: str
    time: str
    digit: str
    zone: str


_LOW = _Edge("-", "-01-01", "00:00:00.000", "0", "+14:00")
_HIGH = _Edge("+", "-12-31", "23:59:59.999", "9", "-12:00")


def low(value: Value) -> Value:
    """Return SQL of the least value that what is written may stand for; decimals come in as their text."""
    return _boundary(value, _LOW)


def high(value: Value) -> Value:
    """Return SQL of the greatest value that what is written may stand for; decimals come in as their text."""
    return _boundary(value, _HIGH)


def _boundary(value: Value, edge: _Edge) -> Value:
    written, dialect = value.one, value.dialect
    known = f"({written.sql})"
    if value.type == "decimal":
        return replace(written, sql=_number(known, edge, dialect), shape=None)
    if value.type == "date":
        return replace(written, sql=_day(known, edge, dialect), shape=None)
    if value.type in ("dateTime", "instant"):
        return replace(written, sql=_moment(known, edge, dialect), shape=None)
    if value.type == "time":
        return replace(written, sql=_clock(known, edge), shape=None)
    raise ViewRefusedError(f"a boundary is of a decimal, a date or a time, not of a {value.type}")


def _number(text: str, edge: _Edge, dialect: Dialect) -> str:
    """Half a unit of the last digit away; digits behind the point count, less the exponent (`1.50e1` is 15.0)."""
    behind = f"length({dialect.matched(text, '[.]([0-9]+)', 1)})"
    exponent = f"coalesce(try_cast({dialect.matched(text, '[eE]([+-]?[0-9]+)', 1)} AS INTEGER), 0)"
    digits = f"CAST({behind} - {exponent} AS INTEGER)"
    return dialect.rounded(f"CAST({text} AS DOUBLE) {edge.sign} 0.5 * pow(10, -{digits})", f"{digits} + 1")


def _day(text: str, edge: _Edge, dialect: Dialect) -> str:
    last = f"CAST(last_day(CAST({text} || '-01' AS DATE)) AS {dialect.type('VARCHAR')})"
    month = f"{text} || '-01'" if edge is _LOW else last
    return f"CASE length({text}) WHEN 4 THEN {text} || '{edge.month_and_day}' WHEN 7 THEN {month} ELSE {text} END"


def _moment(text: str, edge: _Edge, dialect: Dialect) -> str:
    zone = f"coalesce(nullif({dialect.matched(text, '(Z|[+-][0-9]{2}:[0-9]{2})$', 1)}, ''), '{edge.zone}')"
    clock = dialect.matched(text, "T([0-9:.]+)", 1)
    whole_day = f"{_day(text, edge, dialect)} || 'T{edge.time}{edge.zone}'"
    return (
        f"CASE WHEN length({text}) <= 10 THEN {whole_day} ELSE left({text}, 11) || {_clock(clock, edge)} || {zone} END"
    )


def _clock(text: str, edge: _Edge) -> str:
    """Complete a time of day to milliseconds; finer ones stay as they are."""
    missing = f"substr('{edge.time}', length({text}) + 1)"
    fraction = f"rpad({text}, CAST(greatest(12, length({text})) AS INTEGER), '{edge.digit}')"
    return f"CASE WHEN contains({text}, '.') THEN {fraction} ELSE {text} || {missing} END"
