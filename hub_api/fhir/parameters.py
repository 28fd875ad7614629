"""A search as it comes in an address or a form, read into what is wanted and how to answer it (R4 section 3.1.1)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias, cast, get_args

from ehr_pm.record.searching.criteria import Criterion, Include, Search, SortKey
from hub_api.fhir.asking import MAX_JOINS, Asked, links_of, read_criterion
from hub_core.errors import UnreadableError
from hub_core.fhir import elements
from hub_core.fhir.registry import RESOURCE_TYPES
from hub_core.fhir.search_parameters import parameters_of

Summary: TypeAlias = Literal["false", "true", "text", "data", "count"]

DEFAULT_COUNT: Final = 50
MAX_COUNT: Final = 500
MAX_PARAMETERS: Final = 50
MAX_INCLUDES: Final = 20
MAX_SORT_KEYS: Final = 5
"""Limits of one search, so that no request becomes a statement PostgreSQL plans for minutes."""

_NOT_ASKED: Final = frozenset({"_format", "_pretty", "_cursor"})
_ITERATE: Final = ("iterate", "recurse")
_SORTED_BY: Final = frozenset({"_id", "_lastUpdated"})


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
    includes: tuple[Include, ...] = ()
    summary: Summary = "false"
    elements: tuple[str, ...] = ()
    """The elements to show; all where none is named."""

    @property
    def is_counted_only(self) -> bool:
        """Return whether only the number of matches is wanted."""
        return self.summary == "count" or not self.count


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
    given = [each for each in parameters if each[1].strip(",") and each[0] not in _NOT_ASKED]
    if len(given) > MAX_PARAMETERS:
        raise UnreadableError(f"more than {MAX_PARAMETERS} search parameters", code="too-costly")
    request = Request(Search(resource_type), (), ())
    criteria: list[Criterion] = []
    used: list[tuple[str, str]] = []
    ignored: list[str] = []
    for name, value in given:
        if "\x00" in name or "\x00" in value:
            raise UnreadableError("a search has no NUL characters", code="value")
        if (how := _how_to_answer(request, name, value)) is not None:
            request = how
        elif (criterion := read_criterion(resource_type, Asked(name, value, base))) is not None:
            criteria.append(criterion)
        else:
            ignored.append(name)
            continue
        used.append((name, value))
    if ignored and strict:
        raise UnreadableError(
            f"{resource_type} cannot be searched by {', '.join(ignored)}", location=ignored[0], code="not-supported"
        )
    if sum(map(links_of, criteria)) > MAX_JOINS:
        raise UnreadableError("leads to too many other resources", code="too-costly")
    search = replace(request.search, criteria=tuple(criteria))
    return replace(request, search=search, used=tuple(used), ignored=tuple(ignored))


def read_count(value: str) -> int:
    """Return the page size asked for, at most `MAX_COUNT`.

    Raises:
        UnreadableError: if it is not a number.
    """
    if not (value.isascii() and value.isdigit()):
        raise UnreadableError("a whole number was expected", location="_count", code="value")
    return min(int(value[:9]), MAX_COUNT)


def _how_to_answer(request: Request, name: str, value: str) -> Request | None:
    """Return the request with what one parameter says about the answer; None if it says something else."""
    head, _, modifier = name.partition(":")
    match head:
        case "_count":
            return replace(request, count=read_count(value))
        case "_total":
            return replace(request, wants_total=_one_of(("none", "estimate", "accurate"), head, value) != "none")
        case "_summary":
            return replace(request, summary=cast(Summary, _one_of(get_args(Summary), head, value)))
        case "_elements":
            return replace(request, elements=_elements(request.search.resource_type, value))
        case "_sort":
            return replace(request, search=replace(request.search, sort=_sort(request.search.resource_type, value)))
        case "_include" | "_revinclude":
            if modifier and modifier not in _ITERATE:
                raise UnreadableError("this modifier is not supported here", location=head, code="not-supported")
            include = _include(request.search.resource_type, head, value, is_repeated=bool(modifier))
            if len(request.includes) >= MAX_INCLUDES:
                raise UnreadableError(f"more than {MAX_INCLUDES} includes", location=head, code="too-costly")
            return replace(request, includes=(*request.includes, include))
    return None


def _one_of(words: tuple[str, ...], param: str, value: str) -> str:
    if value not in words:
        raise UnreadableError(f"one of {', '.join(words)} was expected", location=param, code="value")
    return value


def _elements(resource_type: str, value: str) -> tuple[str, ...]:
    names = tuple(name.strip().removeprefix(f"{resource_type}.") for name in value.split(",") if name.strip())
    if any(elements.element(resource_type, name) is None for name in names):
        raise UnreadableError(f"elements of {resource_type} were expected", location="_elements", code="value")
    return names


def _sort(resource_type: str, value: str) -> tuple[SortKey, ...]:
    keys = tuple(
        SortKey(name.strip().removeprefix("-"), name.strip().startswith("-")) for name in value.split(",") if name
    )
    if len(keys) > MAX_SORT_KEYS:
        raise UnreadableError(f"more than {MAX_SORT_KEYS} keys to sort by", location="_sort", code="too-costly")
    known = parameters_of(resource_type)
    for key in keys:
        if key.param not in _SORTED_BY and (key.param not in known or known[key.param].kind == "composite"):
            raise UnreadableError(
                f"search parameters of {resource_type} were expected, - before one for descending order",
                location="_sort",
                code="not-supported",
            )
    return keys


def _include(resource_type: str, head: str, value: str, *, is_repeated: bool) -> Include:
    """Return what `Type:parameter`, `Type:parameter:TargetType` or `Type:*` asks to be shown."""
    is_reverse = head == "_revinclude"
    source_type, _, rest = (f"{resource_type}:*" if value == "*" and not is_reverse else value).partition(":")
    param, _, target_type = rest.partition(":")
    known = parameters_of(source_type) if source_type in RESOURCE_TYPES else {}
    references = [name for name, each in known.items() if each.kind == "reference"]
    params = tuple(references) if param == "*" else (param,) if param in references else ()
    if not params or (target_type and target_type not in RESOURCE_TYPES):
        raise UnreadableError(
            "Type:parameter or Type:parameter:TargetType was expected, the parameter being a reference",
            location=head,
            code="not-supported",
        )
    return Include(source_type, params, target_type or None, is_reverse, is_repeated)
