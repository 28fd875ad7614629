"""The order of matches, and where in it a page ended: a key per parameter, and last the resource's own key.

Where several values could count, ascending order takes the least and descending the greatest (R4 section 3.1.1.5.1
leaves it open). Resources without a value come last either way. As the order is total, pages neither repeat nor miss a
resource that stays as it is while others are written.
"""
# ruff: noqa: S608 - SQL text is made of this package's own words; every value is bound

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ehr_pm.record.searching.criteria import Search, SortKey
from ehr_pm.record.searching.values import TABLES, Bound
from hub_core.fhir.search_parameters import Kept, Kind, parameters_of

_OF_EVERY_TYPE: Final = {"_id": ("r.resource_id", "uuid"), "_lastUpdated": ("r.recorded_at", "timestamptz")}
_LEAST_AND_GREATEST: Final[dict[Kind, tuple[str, str, str]]] = {
    "token": ('min(s.code COLLATE "C")', 'max(s.code COLLATE "C")', "text"),
    "uri": ('min(s.code COLLATE "C")', 'max(s.code COLLATE "C")', "text"),
    "string": ('min(s.value COLLATE "C")', 'max(s.value COLLATE "C")', "text"),
    "date": ("min(s.starts_at)", "max(s.starts_at)", "timestamptz"),
    "reference": ('min(s.target_id COLLATE "C")', 'max(s.target_id COLLATE "C")', "text"),
    "quantity": ("min(s.least)", "max(s.greatest)", "numeric"),
    "number": ("min(s.least)", "max(s.greatest)", "numeric"),
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where in an order a page ended: the values of the keys as text, and the key of the resource."""

    resource_key: int
    values: tuple[str | None, ...] = ()


class Order:
    """The order of one search, in SQL over `resource r`."""

    def __init__(self, search: Search, bound: Bound) -> None:
        """Write the keys of a search."""
        self._bound = bound
        self._directions = [key.is_descending for key in search.sort]
        keys = [_key(search.resource_type, key, bound) for key in search.sort]
        self._types = [type_name for _, type_name in keys]
        self.joins = "".join(f" CROSS JOIN LATERAL (SELECT {text} AS k) k{n}" for n, (text, _) in enumerate(keys))
        """What makes the keys."""
        self.columns = [f"k{n}.k AS key_{n}" for n in range(len(keys))]

    def after(self, place: Place) -> str:
        """Return the condition that a resource comes behind a place."""
        conditions = []
        same: list[str] = []
        for n, (value, is_descending) in enumerate(zip(place.values, self._directions, strict=True)):
            if value is None:  # behind it there are only others without a value
                same.append(f"k{n}.k IS NULL")
                continue
            bound = f"{self._bound.add(value)}::{self._types[n]}"
            behind = f"(k{n}.k {'<' if is_descending else '>'} {bound} OR k{n}.k IS NULL)"
            conditions.append(" AND ".join([*same, behind]))
            same.append(f"k{n}.k = {bound}")
        conditions.append(" AND ".join([*same, f"r.resource_key < {self._bound.add(place.resource_key)}"]))
        return f"({' OR '.join(conditions)})"

    def by(self, keys: Sequence[str], resource_key: str) -> str:
        """Return the words behind ORDER BY, the keys and the resource's own key being known by these names."""
        named = [
            f"{key} {'DESC' if is_descending else 'ASC'} NULLS LAST"
            for key, is_descending in zip(keys, self._directions, strict=True)
        ]
        return ", ".join([*named, f"{resource_key} DESC"])


def _key(resource_type: str, key: SortKey, bound: Bound) -> tuple[str, str]:
    """Return the expression of a key, and its type."""
    if key.param in _OF_EVERY_TYPE:
        return _OF_EVERY_TYPE[key.param]
    known = parameters_of(resource_type)[key.param]
    least, greatest, type_name = _LEAST_AND_GREATEST[known.kind]
    rows = " OR ".join(_rows(kept, bound) for kept in known.kept)
    text = (
        f"(SELECT {greatest if key.is_descending else least} FROM {TABLES[known.kind]} s"
        f" WHERE s.resource_key = r.resource_key AND ({rows}))"
    )
    if known.is_of_patient:
        text = f'coalesce(r.patient_id::text COLLATE "C", {text})'
    return text, type_name


def _rows(kept: Kept, bound: Bound) -> str:
    conditions = [f"s.param = {bound.add(kept.param)}"]
    if kept.target is not None:
        conditions.append(f"s.target_type = {bound.add(kept.target)}")
    if kept.system is not None:
        conditions.append(f"s.system = {bound.add(kept.system)}")
    return f"({' AND '.join(conditions)})"
