"""Makes closures of a path's tree, everything that can be known before a resource is seen decided."""

from __future__ import annotations

from decimal import Decimal
from typing import cast

from hub_core.errors import PathError
from hub_core.fhir.fhirpath import moments
from hub_core.fhir.fhirpath.amounts import Amount
from hub_core.fhir.fhirpath.frame import Evaluator, Frame
from hub_core.fhir.fhirpath.functions import FUNCTIONS
from hub_core.fhir.fhirpath.functions.site import Site, known_type, of_type
from hub_core.fhir.fhirpath.kinds import is_a, is_known, kind
from hub_core.fhir.fhirpath.moments import MomentKind
from hub_core.fhir.fhirpath.nodes import Chain, Node, Nodes
from hub_core.fhir.fhirpath.operators import OPERATORS, distinct
from hub_core.fhir.fhirpath.syntax import (
    Call,
    Constant,
    Index,
    Member,
    Nothing,
    Operation,
    Path,
    Polarity,
    Position,
    Quantity,
    This,
    Total,
    TypeOperation,
    Variable,
)
from hub_core.fhir.fhirpath.values import NO, YES, Scalar, made, scalar, single, single_scalar, truth

_KNOWN_VARIABLES = {
    "ucum": "http://unitsofmeasure.org",
    "sct": "http://snomed.info/sct",
    "loinc": "http://loinc.org",
}
_PREFIXED_VARIABLES = {"vs-": "http://hl7.org/fhir/ValueSet/", "ext-": "http://hl7.org/fhir/StructureDefinition/"}
_OF_NOTHING_NOTHING = frozenset({"where", "ofType", "as", "first", "last", "extension", "resolve", "select"})
_MOST_DIGITS = 18


def compiled(path: Path) -> Evaluator:
    """Return a path ready to be evaluated.

    Raises:
        PathError: if it asks for a function, a type or a literal that does not exist.
    """
    match path:
        case This():
            return _this
        case Member():
            return _member(path)
        case Constant() | Quantity() | Nothing():
            return _literal(path)
        case Variable():
            return _variable(path)
        case Position() | Total():
            return _special(path)
        case Index():
            return _index(path)
        case Polarity():
            return _polarity(path)
        case TypeOperation():
            return _type_operation(path)
        case Operation():
            return _operation(path)
        case Call():
            return _call(path)


def _this(this: Nodes, frame: Frame) -> Nodes:
    return this


def _member(path: Member) -> Evaluator:
    """Return a chain of elements; its first name may be the type of what the path starts from."""
    names: list[str] = []
    base: Path = path
    while isinstance(base, Member):
        names.append(base.name)
        base = base.base
    names.reverse()
    if isinstance(base, This):
        if names[0][:1].isupper() and is_known(names[0]):
            return _named(names[0], tuple(names[1:]))
        own = Chain(tuple(names))
        return lambda this, frame: own(this)
    before, chain = compiled(base), Chain(tuple(names))
    return lambda this, frame: chain(before(this, frame))


def _named(type_name: str, names: tuple[str, ...]) -> Evaluator:
    """Return a chain that begins with the type of what the path starts from: of anything else it gives nothing."""
    chain = Chain(names) if names else list
    known: dict[str, bool] = {}

    def is_named(node: Node) -> bool:
        answer = known.get(node.type)
        if answer is None:
            answer = known[node.type] = is_a(node.type, type_name, "FHIR")
        return answer

    def run(this: Nodes, frame: Frame) -> Nodes:
        if len(this) == 1:
            return chain(this) if is_named(this[0]) else []
        return chain([node for node in this if is_named(node)])

    return run


def _literal(path: Constant | Quantity | Nothing) -> Evaluator:
    nodes = [] if isinstance(path, Nothing) else made(_value(path))
    return lambda this, frame: nodes


def _value(path: Constant | Quantity) -> Scalar:
    if isinstance(path, Quantity):
        return Amount(Decimal(path.number), path.unit)
    if path.type == "integer":
        if len(path.text) > _MOST_DIGITS:
            raise PathError("is a number out of reach", path.at)
        return int(path.text)
    if path.type == "decimal":
        return Decimal(path.text)
    if path.type in ("boolean", "string"):
        return path.text == "true" if path.type == "boolean" else path.text
    moment = moments.read(path.text, cast(MomentKind, path.type))
    if moment is None:
        raise PathError("is no date or time of the calendar", path.at)
    return moment


def _variable(path: Variable) -> Evaluator:
    name = path.name
    if name == "context":
        return lambda this, frame: frame.given.context
    if name in ("resource", "rootResource"):
        return lambda this, frame: [frame.given.resource]
    known = _KNOWN_VARIABLES.get(name)
    for prefix, address in _PREFIXED_VARIABLES.items():
        if name.startswith(prefix):
            known = address + name.removeprefix(prefix)
    own = made(known)

    def run(this: Nodes, frame: Frame) -> Nodes:
        found = frame.given.variables.get(name)
        if found is None and known is None:
            raise PathError(f"asks for %{name}, which is not given,", path.at)
        return own if found is None else found

    return run


def _special(path: Position | Total) -> Evaluator:
    def run(this: Nodes, frame: Frame) -> Nodes:
        if isinstance(path, Total):
            if frame.total is None:
                raise PathError("asks for $total outside aggregate()", path.at)
            return frame.total
        if frame.position is None:
            raise PathError("asks for $index outside a function that counts", path.at)
        return made(frame.position)

    return run


def _index(path: Index) -> Evaluator:
    base, position = compiled(path.base), compiled(path.position)

    def run(this: Nodes, frame: Frame) -> Nodes:
        at = single_scalar(position(this, frame), "an index", path.at)
        if at is None:
            return []
        if type(at) is not int:
            raise PathError("has an index that is no whole number", path.at)
        return base(this, frame)[at : at + 1] if at >= 0 else []

    return run


def _polarity(path: Polarity) -> Evaluator:
    operand = compiled(path.operand)

    def run(this: Nodes, frame: Frame) -> Nodes:
        node = single(operand(this, frame), f"the operand of {path.sign}", path.at)
        if node is None:
            return []
        number = scalar(node)
        if isinstance(number, Amount):
            return made(number if path.sign == "+" else Amount(-number.number, number.unit))
        if not isinstance(number, int | Decimal) or isinstance(number, bool):
            raise PathError(f"has a sign {path.sign} before what is no number", path.at)
        return made(number if path.sign == "+" else -number)

    return run


def _type_operation(path: TypeOperation) -> Evaluator:
    operand, wanted = compiled(path.operand), known_type(path.type, path.at)
    if path.operator == "as":
        return lambda this, frame: of_type(operand(this, frame), wanted)

    def run(this: Nodes, frame: Frame) -> Nodes:
        node = single(operand(this, frame), "the operand of is", path.at)
        return [] if node is None else made(is_a(node.type, wanted.name, wanted.namespace))

    return run


def _operation(path: Operation) -> Evaluator:
    if path.operator == "|":
        return _union(path)
    left, right, at = compiled(path.left), compiled(path.right), path.at
    if path.operator in ("and", "or", "implies"):
        return _logic(path.operator, left, right, at)
    operate = OPERATORS[path.operator]
    if path.operator == "=" and isinstance(path.right, Constant) and path.right.type == "string":
        return _equals_text(left, path.right.text, right, at)
    return lambda this, frame: operate(left(this, frame), right(this, frame), at)


def _equals_text(left: Evaluator, text: str, right: Evaluator, at: int) -> Evaluator:
    """Return `=` for what most criteria are: one text, and whether it is this one."""

    def run(this: Nodes, frame: Frame) -> Nodes:
        nodes = left(this, frame)
        if len(nodes) == 1 and type(nodes[0].value) is str and kind(nodes[0].type) == "string":
            return YES if nodes[0].value == text else NO
        return OPERATORS["="](nodes, right(this, frame), at)

    return run


def _union(path: Operation) -> Evaluator:
    """Return the union of all branches, leaving out those that begin with a type which the start is not.

    Search parameters name what they mean in each of thirty types: `Patient.name | Person.name`.
    """
    branches = [(_start_type(each), compiled(each)) for each in _branches(path)]
    chosen: dict[str, list[Evaluator]] = {}

    def run(this: Nodes, frame: Frame) -> Nodes:
        start = this[0].type if len(this) == 1 else ""
        found = chosen.get(start)
        if found is None:
            found = [each for named, each in branches if not (start and named) or is_a(start, str(named), "FHIR")]
            chosen[start] = found
        if len(found) == 1:
            return distinct(found[0](this, frame))
        return distinct([node for each in found for node in each(this, frame)])

    return run


def _branches(path: Path) -> list[Path]:
    branches: list[Path] = []
    while isinstance(path, Operation) and path.operator == "|":
        branches.append(path.right)
        path = path.left
    return [path, *reversed(branches)]


def _start_type(path: Path) -> str | None:
    """Return the type without which a path gives nothing, if it begins with one."""
    while not isinstance(path, Member) or not isinstance(path.base, This):
        if isinstance(path, Member | Index) or (isinstance(path, Call) and path.name in _OF_NOTHING_NOTHING):
            path = path.base
        elif isinstance(path, TypeOperation) and path.operator == "as":
            path = path.operand
        else:
            return None
    return path.name if path.name[:1].isupper() and is_known(path.name) else None


def _logic(operator: str, left: Evaluator, right: Evaluator, at: int) -> Evaluator:
    """Return `and`, `or` or `implies`: once one side decides, the other is not asked (FHIRPath 2.0, 6.5)."""
    what = f"an operand of {operator}"
    decisive = operator != "and"

    def run(this: Nodes, frame: Frame) -> Nodes:
        first = truth(left(this, frame), what, at)
        if operator == "implies" and first is not None:
            first = not first
        if first is decisive:
            return made(first)
        second = truth(right(this, frame), what, at)
        if second is decisive:
            return made(second)
        return [] if first is None else made(second)

    return run


def _call(path: Call) -> Evaluator:
    function = FUNCTIONS.get(path.name)
    if function is None:
        raise PathError(f"asks for the function {path.name}(), which is not supported,", path.at)
    least, most, build = function
    if not least <= len(path.arguments) <= most:
        raise PathError(f"gives {path.name}() {len(path.arguments)} arguments, which it does not take,", path.at)
    return build(Site(path.name, compiled(path.base), path.arguments, compiled, path.at))
