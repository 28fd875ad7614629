"""Functions of collections: existence, filtering, parts, combining, gathering (FHIRPath 2.0, 5.1 to 5.4, 7)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from hub_core.fhir.fhirpath.frame import Evaluator, Frame
from hub_core.fhir.fhirpath.functions.site import MOST, Build, Functions, Site, of_type, on_all, with_other
from hub_core.fhir.fhirpath.kinds import is_a
from hub_core.fhir.fhirpath.nodes import Nodes
from hub_core.fhir.fhirpath.operators import distinct, union
from hub_core.fhir.fhirpath.values import identity, made, single, single_scalar, truth


def _where(site: Site) -> Evaluator:
    base, (criterion, *_), at, counts = site.base, site.arguments, site.at, site.counts

    def call(this: Nodes, frame: Frame) -> Nodes:
        kept: Nodes = []
        for position, node in enumerate(base(this, frame)):
            answer = criterion([node], frame.at_position(position) if counts else frame)
            if answer and truth(answer, "a criterion", at):
                kept.append(node)
        return kept

    return call


def _each(site: Site) -> Callable[[Nodes, Frame], Iterator[Nodes]]:
    """Return what gives the first argument's answer for each of some nodes, one after the other."""
    argument, counts = site.arguments[0], site.counts
    if not counts:
        return lambda nodes, frame: (argument([node], frame) for node in nodes)
    return lambda nodes, frame: (argument([node], frame.at_position(position)) for position, node in enumerate(nodes))


def _exists(site: Site) -> Evaluator:
    base = _where(site) if site.paths else site.base
    return lambda this, frame: made(bool(base(this, frame)))


def _all(site: Site) -> Evaluator:
    base, criteria, at = site.base, _each(site), site.at
    return lambda this, frame: made(
        all(truth(answer, "a criterion", at) for answer in criteria(base(this, frame), frame))
    )


def _booleans(decide: Callable[[list[bool]], bool]) -> Build:
    """Return the form of the functions that judge a collection of booleans."""

    def build(site: Site) -> Evaluator:
        base = site.base

        def call(this: Nodes, frame: Frame) -> Nodes:
            values = [node.value for node in base(this, frame)]
            if not all(isinstance(value, bool) for value in values):
                raise site.refuse("finds what is no boolean")
            return made(decide(values))

        return call

    return build


def _subset(nodes: Nodes, others: Nodes) -> bool:
    return set(map(identity, nodes)) <= set(map(identity, others))


def _select(site: Site) -> Evaluator:
    base, projection = site.base, _each(site)

    def call(this: Nodes, frame: Frame) -> Nodes:
        selected = [node for found in projection(base(this, frame), frame) for node in found]
        if len(selected) > MOST:
            raise site.refuse(f"makes more than {MOST:,} values")
        return selected

    return call


def _repeat(site: Site) -> Evaluator:
    """Return what follows a projection from what it gives, until it gives nothing new."""
    base, projection = site.base, _each(site)

    def call(this: Nodes, frame: Frame) -> Nodes:
        gathered: Nodes = []
        seen: set[object] = set()
        level = base(this, frame)
        while level:
            fresh: Nodes = []
            for node in (node for found in projection(level, frame) for node in found):
                key = identity(node)
                if key not in seen:
                    seen.add(key)
                    fresh.append(node)
            gathered += fresh
            if len(gathered) > MOST:
                raise site.refuse(f"makes more than {MOST:,} values")
            level = fresh
        return gathered

    return call


def _single(site: Site) -> Evaluator:
    def call(this: Nodes, frame: Frame) -> Nodes:
        node = single(site.base(this, frame), "what single() is of", site.at)
        return [] if node is None else [node]

    return call


def _part(cut: Callable[[Nodes, int], Nodes]) -> Build:
    """Return the form of `skip` and `take`."""

    def build(site: Site) -> Evaluator:
        base, (number,) = site.base, site.arguments

        def call(this: Nodes, frame: Frame) -> Nodes:
            how_many = single_scalar(number(this, frame), "a number of things", site.at)
            if how_many is None:
                return []
            if type(how_many) is not int:
                raise site.refuse("finds a number that is not whole")
            return cut(base(this, frame), max(0, how_many))

        return call

    return build


def _intersect(nodes: Nodes, others: Nodes) -> Nodes:
    known = set(map(identity, others))
    return distinct([node for node in nodes if identity(node) in known])


def _exclude(nodes: Nodes, others: Nodes) -> Nodes:
    known = set(map(identity, others))
    return [node for node in nodes if identity(node) not in known]


def _combine(site: Site) -> Evaluator:
    base, (other,) = site.base, site.arguments

    def call(this: Nodes, frame: Frame) -> Nodes:
        combined = base(this, frame) + other(this, frame)
        if len(combined) > MOST:
            raise site.refuse(f"makes more than {MOST:,} values")
        return combined

    return call


def _iif(site: Site) -> Evaluator:
    """Return one of two answers; the other is not asked for. `$this` is what the function is called on."""
    base, (criterion, *answers) = site.base, site.arguments

    def call(this: Nodes, frame: Frame) -> Nodes:
        on = base(this, frame)
        single(on, "what iif() is of", site.at)
        if truth(criterion(on, frame), "a criterion", site.at):
            return answers[0](on, frame)
        return answers[1](on, frame) if len(answers) > 1 else []

    return call


def _aggregate(site: Site) -> Evaluator:
    base, (gather, *start) = site.base, site.arguments

    def call(this: Nodes, frame: Frame) -> Nodes:
        total = start[0](this, frame) if start else []
        for position, node in enumerate(base(this, frame)):
            total = gather([node], frame.with_total(total, position))
        return total

    return call


def _of_type(site: Site) -> Evaluator:
    base, wanted = site.base, site.type
    return lambda this, frame: of_type(base(this, frame), wanted)


def _is(site: Site) -> Evaluator:
    base, wanted = site.base, site.type

    def call(this: Nodes, frame: Frame) -> Nodes:
        node = single(base(this, frame), "what is() is of", site.at)
        return [] if node is None else made(is_a(node.type, wanted.name, wanted.namespace))

    return call


def _not(site: Site) -> Evaluator:
    def call(this: Nodes, frame: Frame) -> Nodes:
        answer = truth(site.base(this, frame), "what not() is of", site.at)
        return [] if answer is None else made(not answer)

    return call


def _trace(site: Site) -> Evaluator:
    """Return what there is, unchanged: what a path sees is patients' data, and is not logged."""
    return site.base


COLLECTION_FUNCTIONS: Functions = {
    "empty": (0, 0, on_all(lambda nodes: not nodes)),
    "exists": (0, 1, _exists),
    "all": (1, 1, _all),
    "allTrue": (0, 0, _booleans(all)),
    "anyTrue": (0, 0, _booleans(any)),
    "allFalse": (0, 0, _booleans(lambda values: not any(values))),
    "anyFalse": (0, 0, _booleans(lambda values: not all(values))),
    "subsetOf": (1, 1, with_other(_subset)),
    "supersetOf": (1, 1, with_other(lambda nodes, others: _subset(others, nodes))),
    "count": (0, 0, on_all(len)),
    "distinct": (0, 0, on_all(distinct)),
    "isDistinct": (0, 0, on_all(lambda nodes: len(distinct(nodes)) == len(nodes))),
    "where": (1, 1, _where),
    "select": (1, 1, _select),
    "repeat": (1, 1, _repeat),
    "ofType": (1, 1, _of_type),
    "as": (1, 1, _of_type),
    "is": (1, 1, _is),
    "single": (0, 0, _single),
    "first": (0, 0, on_all(lambda nodes: nodes[:1])),
    "last": (0, 0, on_all(lambda nodes: nodes[-1:])),
    "tail": (0, 0, on_all(lambda nodes: nodes[1:])),
    "skip": (1, 1, _part(lambda nodes, number: nodes[number:])),
    "take": (1, 1, _part(lambda nodes, number: nodes[:number])),
    "intersect": (1, 1, with_other(_intersect)),
    "exclude": (1, 1, with_other(_exclude)),
    "union": (1, 1, with_other(union)),
    "combine": (1, 1, _combine),
    "iif": (2, 3, _iif),
    "aggregate": (1, 2, _aggregate),
    "not": (0, 0, _not),
    "trace": (1, 2, _trace),
}
