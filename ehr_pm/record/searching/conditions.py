"""Criteria as SQL about `resource r`.

Every value travels as a parameter; only this package's own words become SQL text. Whatever a search looks through,
the matches, what a chain leads to and what `_has` starts from, is only what the caller may see of its type: a hidden
resource changes no answer.
"""
# ruff: noqa: S608 - SQL text is made of this package's own words; every value is bound

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from ehr_pm.record.scope import condition
from ehr_pm.record.searching.coded import of_one_repetition, with_codes
from ehr_pm.record.searching.criteria import (
    Amount,
    Chained,
    Criterion,
    Having,
    Indexed,
    IsAbout,
    IsOneOf,
    Missing,
    Reach,
    Recorded,
    Reference,
    Search,
    Together,
    TokenText,
    Value,
)
from ehr_pm.record.searching.values import TABLES, Bound, interval_condition, row_condition
from hub_core.fhir.indexed_types import IDENTIFIER
from hub_core.fhir.search_parameters import Group, Kept, SearchParameter, parameters_of

if TYPE_CHECKING:
    from hub_core.access import Scope

PATIENT = "Patient"
_ONLY_PATIENTS = frozenset({PATIENT})
_ID = "CASE WHEN s.target_id ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN s.target_id::uuid END"
"""What a row refers to, where that can be one of ours."""


def is_selective(search: Search) -> bool:
    """Return whether a search is by patients, names, references or ids, which few resources share, not by codes."""
    known = parameters_of(search.resource_type)
    return any(
        isinstance(each, IsAbout | IsOneOf | Having)
        or (isinstance(each, Indexed) and known[each.param].kind in ("string", "reference"))
        for each in search.criteria
    )


class Conditions:
    """Writes the conditions of one statement."""

    def __init__(self, bound: Bound, reach: Reach) -> None:
        """Begin a statement.

        Args:
            bound: where its values go.
            reach: what of each type the caller may see.
        """
        self._bound = bound
        self._reach = reach
        self._scopes: dict[str, str] = {}

    def where(self, resource_type: str, criteria: Iterable[Criterion] = ()) -> str:
        """Return the condition that `r` is of a type, is there, may be seen, and fits."""
        kind = self._bound.add(resource_type)
        conditions = [f"r.resource_type = {kind}", "NOT r.deleted"]
        conditions += [self._criterion(resource_type, kind, each) for each in with_codes(resource_type, criteria)]
        if (scope := self._reach(resource_type)) is not None:
            conditions.append(self._scope(resource_type, scope))
        return " AND ".join(conditions)

    def candidates(self, resource_type: str, criteria: Iterable[Criterion]) -> str | None:
        """Return a query of the keys of all that can match, if what is asked tells one code and what its value is.

        In the index they stand in the order of their keys.
        """
        for each in with_codes(resource_type, criteria):
            match each:
                case Indexed(param, (Amount(of_codes=(_,)) as sought,), is_negated=False):
                    rows = f"s.param = {self._bound.add(param)} AND {row_condition(sought, 's', self._bound)}"
                    return f"SELECT s.resource_key FROM {TABLES['quantity']} s WHERE {rows}"
        return None

    def _scope(self, resource_type: str, scope: Scope) -> str:
        """Return the condition of a scope, written once for each type: another type's may be another."""
        if resource_type not in self._scopes:
            self._scopes[resource_type] = seen(scope, self._bound)
        return self._scopes[resource_type]

    def _criterion(self, resource_type: str, kind: str, criterion: Criterion) -> str:
        bound = self._bound
        match criterion:
            case IsOneOf(resource_ids, is_negated):
                found = f"r.resource_id = ANY({bound.add(uuids(resource_ids))})"
                return f"NOT {found}" if is_negated else found
            case IsAbout(patient_ids):
                return f"r.patient_id = ANY({bound.add(uuids(patient_ids))})"
            case Recorded(intervals):
                return any_of(interval_condition(each, "r.recorded_at", "r.recorded_at", bound) for each in intervals)
            case Missing(param, is_missing):
                present = self._present(parameters_of(resource_type), param, kind)
                return f"NOT {present}" if is_missing else present
            case Indexed():
                found = self._indexed(parameters_of(resource_type)[criterion.param], kind, criterion)
                return f"NOT {found}" if criterion.is_negated else found
            case Together(param, alternatives):
                groups = parameters_of(resource_type)[param].groups
                return any_of(
                    self._together(resource_type, kind, group, values) for values in alternatives for group in groups
                )
            case Chained(param, targets):
                known = parameters_of(resource_type)[param]
                return any_of(self._chained(known, kind, target, inner) for target, inner in targets)
            case Having():
                return self._having(resource_type, criterion)

    def _rows(self, kind: str, table: str, kept: Kept, suffix: str = "", row: str = "s") -> str:
        """Return the condition that a row is one of those a parameter's values are kept in."""
        conditions = [f"{row}.resource_type = {kind}", f"{row}.param = {self._bound.add(kept.param + suffix)}"]
        if kept.target is not None and table == "search_reference":
            conditions.append(f"{row}.target_type = {self._bound.add(kept.target)}")
        if kept.system is not None:
            conditions.append(f"{row}.system = {self._bound.add(kept.system)}")
        return " AND ".join(conditions)

    def _exists(self, kind: str, table: str, kept: Kept, suffix: str = "", having: str = "") -> str:
        return (
            f"EXISTS (SELECT 1 FROM {table} s WHERE s.resource_key = r.resource_key"
            f" AND {self._rows(kind, table, kept, suffix)}{having})"
        )

    def _present(self, known: Mapping[str, SearchParameter], param: str, kind: str) -> str:
        parameter = known[param]
        if parameter.kind == "composite":
            return any_of(
                " AND ".join(self._present(known, name, kind) for name, _ in group.parts) for group in parameter.groups
            )
        table = TABLES[parameter.kind]
        conditions = [self._exists(kind, table, kept) for kept in parameter.kept]
        if parameter.is_of_patient:
            conditions.append("r.patient_id IS NOT NULL")
        if parameter.kind == "reference":
            conditions += [self._exists(kind, "search_token", kept, IDENTIFIER) for kept in parameter.kept]
        return any_of(conditions)

    def _indexed(self, known: SearchParameter, kind: str, criterion: Indexed) -> str:
        table = "search_token" if criterion.suffix else TABLES[known.kind]
        conditions = []
        for value in criterion.values:
            if _is_maybe_patient(known, value):
                conditions.append(self._of_patient(known, kind, value))
                continue
            conditions += [
                self._exists(kind, table, kept, criterion.suffix, f" AND {row_condition(value, 's', self._bound)}")
                for kept in known.kept
            ]
        return any_of(conditions)

    def _of_patient(self, known: SearchParameter, kind: str, value: Value) -> str:
        """Return that a reference is in the column of the patient; or, where it may be to others too, in a row."""
        ids = self._bound.add(uuids([value.target_id] if isinstance(value, Reference) else []))
        if _leads_to(known, value) == PATIENT:
            return f"r.patient_id = ANY({ids})"
        rows = " UNION ALL ".join(
            f"SELECT s.resource_key FROM search_reference s WHERE {self._rows(kind, 'search_reference', kept)}"
            f" AND {row_condition(value, 's', self._bound)}"
            for kept in known.kept
        )
        column = f"SELECT p.resource_key FROM resource p WHERE p.patient_id = ANY({ids})"
        return f"r.resource_key IN ({column} UNION ALL {rows})"

    def _together(self, resource_type: str, kind: str, group: Group, values: Sequence[Value]) -> str:
        known = parameters_of(resource_type)
        values = of_one_repetition(resource_type, group, values)
        inside: list[tuple[str, str, str]] = []
        conditions = []
        for number, ((name, is_inside), value) in enumerate(zip(group.parts, values, strict=True)):
            table, kept = TABLES[known[name].kind], Kept(name)
            if isinstance(value, TokenText) and table != "search_token":
                return "false"
            if not is_inside:
                having = f" AND {row_condition(value, 's', self._bound)}"
                conditions.append(self._exists(kind, table, kept, having=having))
                continue
            row = f"s{number}"
            same = f" AND {row}.place = {inside[0][1]}.place" if inside else ""
            text = (
                f"{row}.resource_key = r.resource_key AND {self._rows(kind, table, kept, row=row)}"
                f" AND {row_condition(value, row, self._bound)}{same}"
            )
            inside.append((f"{table} {row}", row, text))
        if inside:
            tables, texts = ", ".join(each[0] for each in inside), " AND ".join(each[2] for each in inside)
            conditions.append(f"EXISTS (SELECT 1 FROM {tables} WHERE {texts})")
        return f"({' AND '.join(conditions)})"

    def _chained(self, known: SearchParameter, kind: str, target: str, inner: Criterion) -> str:
        """Return that a parameter leads to a visible resource of a type that fits."""
        fits = self.where(target, (inner,))
        if known.is_of_patient and target == PATIENT:
            return f"r.patient_id IN (SELECT r.resource_id FROM resource r WHERE {fits})"
        return any_of(
            "r.resource_key IN (SELECT s.resource_key FROM search_reference s JOIN resource r"
            f" ON r.resource_type = s.target_type AND r.resource_id = {_ID} AND s.target_id = r.resource_id::text"
            f" WHERE {self._rows(kind, 'search_reference', kept)} AND {fits})"
            for kept in known.kept
            if kept.target in (None, target)
        )

    def _having(self, resource_type: str, wanted: Having) -> str:
        """Return that a visible resource of another type that fits refers to `r`."""
        known = parameters_of(wanted.source_type)[wanted.param]
        fits = self.where(wanted.source_type, (wanted.criterion,))
        if known.is_of_patient and resource_type == PATIENT:
            return f"r.resource_id IN (SELECT r.patient_id FROM resource r WHERE {fits})"
        kind, target = self._bound.add(wanted.source_type), self._bound.add(resource_type)
        return any_of(
            f"r.resource_id IN (SELECT {_ID} FROM search_reference s JOIN resource r USING (resource_key)"
            f" WHERE {self._rows(kind, 'search_reference', kept)} AND s.target_type = {target} AND {fits})"
            for kept in known.kept
            if kept.target in (None, resource_type)
        )


def seen(scope: Scope, bound: Bound) -> str:
    """Return that `r` is within what may be seen."""
    text, values = condition(scope)
    for name, value in values.items():
        text = text.replace(f"%({name})s", bound.add(value))
    return text


def _is_maybe_patient(known: SearchParameter, value: Value) -> bool:
    return known.is_of_patient and isinstance(value, Reference) and _leads_to(known, value) in (None, PATIENT)


def _leads_to(known: SearchParameter, value: Value) -> str | None:
    """Return the type that a reference asked for is to, if that is known."""
    if isinstance(value, Reference) and value.target_type is not None:
        return value.target_type
    return PATIENT if known.targets == _ONLY_PATIENTS else None


def uuids(texts: Iterable[str]) -> list[UUID]:
    """Return those texts that are UUIDs."""
    return [found for text in texts if (found := _uuid(text)) is not None]


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def any_of(conditions: Iterable[str]) -> str:
    """Return that one of some conditions holds."""
    return f"({' OR '.join(conditions) or 'false'})"
