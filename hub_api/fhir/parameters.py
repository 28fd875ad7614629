"""Search parameters as they come in an address or a form, read into criteria (R4 section 3.1.1).

Which parameters a type has follows from the registry, and how each is compared from the R4 type of its element: the
same two sources the index is written from.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final, Literal, TypeAlias, cast, get_args

from ehr_pm.record.search import (
    Criterion,
    Indexed,
    Interval,
    IsAbout,
    IsOneOf,
    Prefix,
    Recorded,
    Reference,
    Search,
    Text,
    Token,
    Value,
)
from hub_core.errors import UnreadableError
from hub_core.fhir import search_parameters
from hub_core.fhir.registry import RESOURCE_TYPES
from hub_core.fhir.search_values import interval

Kind: TypeAlias = Literal["token", "string", "date", "reference"]

DEFAULT_COUNT: Final = 50
MAX_COUNT: Final = 500
MAX_PARAMETERS: Final = 50
MAX_ALTERNATIVES: Final = 200
"""Limits of one search, so that no request becomes a statement PostgreSQL plans for minutes."""

_PREFIXES: Final = frozenset({"eq", "ne", "gt", "lt", "ge", "le", "sa", "eb"})
_NOT_CRITERIA: Final = frozenset({"_format", "_pretty", "_cursor"})


@dataclass(frozen=True, slots=True)
class Request:
    """A search as asked for: what it means, how to answer it, and what of it is not understood."""

    search: Search
    used: tuple[tuple[str, str], ...]
    """The parameters that were understood, for the self link."""
    ignored: tuple[str, ...]
    """Names of parameters that were not."""
    count: int = DEFAULT_COUNT
    wants_total: bool = False


@cache
def parameters_of(resource_type: str) -> Mapping[str, Kind]:
    """Return the search parameters of a type that are answered, with how each is compared."""
    found = search_parameters.parameters_of(resource_type)
    kinds = {name: cast(Kind, each.kind) for name, each in found.items() if each.kind in get_args(Kind)}
    if RESOURCE_TYPES[resource_type].patient and resource_type != "Patient":
        kinds["patient"] = "reference"
    return dict(sorted(kinds.items()))


def read_request(resource_type: str, parameters: Iterable[tuple[str, str]], *, base: str, strict: bool) -> Request:
    """Return the search that parameters ask for.

    Args:
        resource_type: the type searched.
        parameters: names and values, decoded, in order; a name may come more than once.
        base: address of this server, for references written in full.
        strict: whether to refuse what is not understood rather than to pass over it (`Prefer: handling=strict`).

    Raises:
        UnreadableError: for a value that cannot be read, a modifier not supported, or, if strict, an unknown name.
    """
    given = [each for each in parameters if each[1].strip(",") and each[0] not in _NOT_CRITERIA]
    if len(given) > MAX_PARAMETERS:
        raise UnreadableError(f"more than {MAX_PARAMETERS} search parameters", code="too-costly")
    criteria: list[Criterion] = []
    used: list[tuple[str, str]] = []
    ignored: list[str] = []
    count, wants_total = DEFAULT_COUNT, False
    for name, value in given:
        if name == "_count":
            count = read_count(value)
        elif name == "_total":
            wants_total = _read_total(value)
        elif (criterion := _criterion(resource_type, name, value, base)) is not None:
            criteria.append(criterion)
        else:
            ignored.append(name)
            continue
        used.append((name, value))
    if ignored and strict:
        raise UnreadableError(
            f"{resource_type} cannot be searched by {', '.join(ignored)}", location=ignored[0], code="not-supported"
        )
    return Request(Search(resource_type, tuple(criteria)), tuple(used), tuple(ignored), count, wants_total)


def read_count(value: str) -> int:
    """Return the page size asked for, at most `MAX_COUNT`.

    Raises:
        UnreadableError: if it is not a number.
    """
    if not (value.isascii() and value.isdigit()):
        raise UnreadableError("a whole number was expected", location="_count", code="value")
    return min(int(value[:9]), MAX_COUNT)


def _read_total(value: str) -> bool:
    if value not in ("none", "estimate", "accurate"):
        raise UnreadableError("one of none, estimate, accurate was expected", location="_total", code="value")
    return value != "none"


def _criterion(resource_type: str, name: str, value: str, base: str) -> Criterion | None:
    """Return what one parameter demands; None if this type has no such parameter."""
    param, _, modifier = name.partition(":")
    alternatives = list(_split(value))
    if len(alternatives) > MAX_ALTERNATIVES:
        raise UnreadableError(f"more than {MAX_ALTERNATIVES} alternatives", location=param, code="too-costly")
    if param == "_id":
        _refuse_modifier(param, modifier)
        return IsOneOf(tuple(alternatives))
    if param == "_lastUpdated":
        _refuse_modifier(param, modifier)
        return Recorded(tuple(_interval(param, each) for each in alternatives))
    kind = parameters_of(resource_type).get(param)
    if kind is None:
        return None
    if param == "patient":
        _refuse_modifier(param, modifier, "Patient")
        return IsAbout(tuple(_patient(each, base) for each in alternatives))
    return Indexed(param, tuple(_value(kind, param, modifier, each, base) for each in alternatives))


def _value(kind: Kind, param: str, modifier: str, text: str, base: str) -> Value:
    if kind == "string":
        _refuse_modifier(param, modifier, "exact", "contains")
        return Text(text, "whole" if modifier == "exact" else "part" if modifier == "contains" else "start")
    if kind == "reference":
        return _reference(param, modifier, text, base)
    _refuse_modifier(param, modifier)
    return _token(param, text) if kind == "token" else _interval(param, text)


def _refuse_modifier(param: str, modifier: str, *allowed: str) -> None:
    """Refuse a modifier that is not supported: passing over it would change the answer (R4 section 3.1.1.4.1)."""
    if modifier and modifier not in allowed:
        raise UnreadableError("this modifier is not supported here", location=param, code="not-supported")


def _token(param: str, text: str) -> Token:
    system, bar, code = text.partition("|")
    if not bar:
        return Token(text, any_system=True)
    if not system and not code:
        raise UnreadableError("a code, a system, or both were expected", location=param, code="value")
    return Token(code or None, system or None)


def _interval(param: str, text: str) -> Interval:
    prefix, date = (text[:2], text[2:]) if text[:2] in _PREFIXES else ("eq", text)
    # A plus sign in an address is a space once decoded; where a date has one, only a zone can be meant.
    span = interval(date.replace(" ", "+"))
    if span is None:
        raise UnreadableError(
            "a date such as 2024, 2024-05, 2024-05-17 or 2024-05-17T10:30Z was expected, after eq, ne, gt, lt, ge, le,"
            " sa or eb if any",
            location=param,
            code="value",
        )
    return Interval(cast(Prefix, prefix), *span)


def _reference(param: str, modifier: str, text: str, base: str) -> Reference:
    target_type, slash, target_id = text.removeprefix(f"{base}/").rpartition("/")
    if modifier and modifier not in RESOURCE_TYPES:
        raise UnreadableError("this modifier is not supported here", location=param, code="not-supported")
    if not slash:
        return Reference(target_id, modifier or None)
    if target_type not in RESOURCE_TYPES or modifier not in ("", target_type):
        raise UnreadableError("a reference such as Patient/<id> was expected", location=param, code="value")
    return Reference(target_id, target_type)


def _patient(text: str, base: str) -> str:
    reference = _reference("patient", "", text, base)
    if reference.target_type not in (None, "Patient"):
        raise UnreadableError("a reference to a Patient was expected", location="patient", code="value")
    return reference.target_id


def _split(value: str) -> Iterator[str]:
    r"""Yield the alternatives of a value; `\,` `\|` `\$` `\\` stand for themselves (R4 section 3.1.1.4)."""
    part: list[str] = []
    characters = iter(value)
    for character in characters:
        if character == "\\":
            part.append(next(characters, "\\"))
        elif character == ",":
            if part:
                yield "".join(part)
            part = []
        else:
            part.append(character)
    if part:
        yield "".join(part)
