"""A result's value is of the result's code: what is asked of both is asked of one row, which knows value and code."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ehr_pm.record.searching.criteria import Amount, Criterion, Indexed, Together, Token, Value
from hub_core.fhir.search_parameters import codes_of_quantities, parameters_of, placed

if TYPE_CHECKING:
    from hub_core.fhir.search_parameters import Group


def with_codes(resource_type: str, criteria: Iterable[Criterion]) -> list[Criterion]:
    """Return criteria that ask for the same, where each quantity of the whole resource says of which codes it must be.

    What stands in repetitions is left alone: a code may be of one component and the value of another.
    """
    told = [each for criterion in criteria for each in _apart(resource_type, criterion)]
    inside = {name for _, name in placed(resource_type)}
    given = [(each.param, codes) for each in told if isinstance(each, Indexed) and (codes := _codes(each))]
    asked = dict(sorted(given, key=lambda each: -len(each[1])))  # the fewest last, which are kept
    by_quantity = {
        quantity: asked[param]
        for quantity, param in codes_of_quantities(resource_type).items()
        if quantity not in inside and param in asked
    }
    return [_coded(each, by_quantity) for each in told]


def of_one_repetition(resource_type: str, group: Group, values: Sequence[Value]) -> list[Value]:
    """Return the values of a composite; of a quantity, with the code that it must be of."""
    names = [name for name, _ in group.parts]
    given = dict(zip(names, values, strict=True))
    codes = codes_of_quantities(resource_type)
    return [_of(value, _code(given.get(codes.get(name, "")))) for name, value in given.items()]


def _apart(resource_type: str, criterion: Criterion) -> Iterator[Criterion]:
    """Yield a composite of what the whole resource says as what it is: criteria that all hold."""
    if isinstance(criterion, Together) and len(criterion.alternatives) == 1:
        groups = parameters_of(resource_type)[criterion.param].groups
        if len(groups) == 1 and not any(is_inside for _, is_inside in groups[0].parts):
            for (name, _), value in zip(groups[0].parts, criterion.alternatives[0], strict=True):
                yield Indexed(name, (value,))
            return
    yield criterion


def _codes(criterion: Indexed) -> tuple[str, ...]:
    """Return the codes of which a resource must have one; none if it may have others too."""
    if criterion.is_negated or criterion.suffix:
        return ()
    codes = [_code(value) for value in criterion.values]
    return tuple(code for (code,) in codes) if all(codes) else ()


def _code(value: Value | None) -> tuple[str, ...]:
    return (value.code,) if isinstance(value, Token) and value.code is not None else ()


def _coded(criterion: Criterion, by_quantity: Mapping[str, tuple[str, ...]]) -> Criterion:
    if not isinstance(criterion, Indexed) or criterion.param not in by_quantity:
        return criterion
    return replace(criterion, values=tuple(_of(value, by_quantity[criterion.param]) for value in criterion.values))


def _of(value: Value, codes: tuple[str, ...]) -> Value:
    return replace(value, of_codes=codes) if isinstance(value, Amount) and codes else value
