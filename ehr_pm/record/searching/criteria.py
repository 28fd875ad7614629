"""What a search can ask for (R4 section 3.1.1): values of one criterion are alternatives, criteria all hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from hub_core.access import Scope

Prefix: TypeAlias = Literal["eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"]
Reach: TypeAlias = Callable[[str], "Scope | None"]
"""What of a type of resource may be seen; None is everything."""


@dataclass(frozen=True, slots=True)
class Token:
    """A code, in any system, in a given one, or (`system` None and `any_system` False) in none."""

    code: str | None
    system: str | None = None
    any_system: bool = False


@dataclass(frozen=True, slots=True)
class TokenText:
    """The beginning of what a code is called."""

    value: str


@dataclass(frozen=True, slots=True)
class Text:
    """The beginning of a text or any part of it, without case and accents; or all of it, to the letter."""

    value: str
    match: Literal["start", "part", "exact"] = "start"


@dataclass(frozen=True, slots=True)
class Interval:
    """A date as the interval it stands for, from `starts_at` until before `ends_at`, and how to compare with it."""

    prefix: Prefix
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Amount:
    """A number, from where to before where it is still equal, how to compare with it, and the unit if one is asked."""

    prefix: Prefix
    value: Decimal
    low: Decimal
    high: Decimal
    system: str | None = None
    unit: str | None = None
    """A code of the system; without one, a code or the name of a unit."""
    of_codes: tuple[str, ...] = ()
    """Codes of which it must be a value, as something else that is asked for says; none where nothing does."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A resource referred to, of any type when none is given; at an address of its own when it is empty."""

    target_id: str
    target_type: str | None = None


@dataclass(frozen=True, slots=True)
class Address:
    """A URI; or with it all below it (longer by whole segments), or all above."""

    value: str
    match: Literal["whole", "below", "above"] = "whole"


Value: TypeAlias = Token | TokenText | Text | Interval | Amount | Reference | Address


@dataclass(frozen=True, slots=True)
class Indexed:
    """A search parameter whose values are in the index: one of these must match, or (negated) none."""

    param: str
    values: tuple[Value, ...]
    is_negated: bool = False
    suffix: str = ""
    """What the name of the rows ends in: `:of-type`, `:identifier`."""


@dataclass(frozen=True, slots=True)
class Missing:
    """The index has no value of a parameter; or (not `is_missing`) it has one."""

    param: str
    is_missing: bool = True


@dataclass(frozen=True, slots=True)
class Together:
    """A composite: for one of these alternatives, all values match inside one repetition."""

    param: str
    alternatives: tuple[tuple[Value, ...], ...]


@dataclass(frozen=True, slots=True)
class Chained:
    """What a parameter refers to fits: one of these types with its criterion."""

    param: str
    targets: tuple[tuple[str, Criterion], ...]


@dataclass(frozen=True, slots=True)
class Having:
    """A resource of another type that fits refers to this one by a parameter (`_has`)."""

    source_type: str
    param: str
    criterion: Criterion


@dataclass(frozen=True, slots=True)
class IsOneOf:
    """The resource itself is one of these (`_id`); text that is no id of ours matches nothing."""

    resource_ids: tuple[str, ...]
    is_negated: bool = False


@dataclass(frozen=True, slots=True)
class IsAbout:
    """The resource is about one of these patients."""

    patient_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Recorded:
    """The current version was recorded at one of these times (`_lastUpdated`)."""

    intervals: tuple[Interval, ...]


Criterion: TypeAlias = Indexed | Missing | Together | Chained | Having | IsOneOf | IsAbout | Recorded


@dataclass(frozen=True, slots=True)
class SortKey:
    """What to sort by: a parameter, `_id` or `_lastUpdated`; resources without a value come last either way."""

    param: str
    is_descending: bool = False


@dataclass(frozen=True, slots=True)
class Search:
    """Which resources of one type are wanted, and in which order; without one, latest known first."""

    resource_type: str
    criteria: tuple[Criterion, ...] = ()
    sort: tuple[SortKey, ...] = ()


@dataclass(frozen=True, slots=True)
class Include:
    """What is shown beside the matches: what they refer to by a parameter, or (reverse) what refers to them."""

    source_type: str
    params: tuple[str, ...]
    target_type: str | None = None
    is_reverse: bool = False
    is_repeated: bool = False
    """Whether the same is done for what was included (`:iterate`)."""
