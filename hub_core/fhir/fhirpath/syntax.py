"""The tree of a FHIRPath expression, as `parsing` reads it and as evaluator and view compiler walk it.

Each node knows where in the text it stands (`at`, counted from zero), so that whoever refuses it can name the place;
two nodes that say the same are equal wherever they stand.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

LiteralType: TypeAlias = Literal["string", "integer", "decimal", "boolean", "date", "dateTime", "time"]


@dataclass(frozen=True, slots=True)
class Constant:
    """A value written in the path: `'official'`, `3`, `true`, `@2024-01-31`."""

    text: str
    type: LiteralType
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with a unit: `4 'mg'`, `2 weeks`."""

    number: str
    unit: str
    """A unit of UCUM, or a word of the calendar in the singular."""
    is_calendar: bool
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Nothing:
    """The empty collection: `{}`."""

    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Variable:
    """A name after a percent sign: a constant of the view, `%resource`, `%context` or `%rowIndex`."""

    name: str
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class This:
    """What the path starts from: `$this`, also when it is left out."""

    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Position:
    """How many things came before this one, where a function goes through things one by one: `$index`."""

    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Total:
    """What `aggregate()` has gathered so far: `$total`."""

    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Member:
    """An element of what `base` gives."""

    base: Path
    name: str
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Index:
    """One of the things `base` gives, counted from zero."""

    base: Path
    position: Path
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Call:
    """A function of what `base` gives."""

    base: Path
    name: str
    arguments: tuple[Path, ...]
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Operation:
    """Two operands and what stands between them."""

    operator: str
    left: Path
    right: Path
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class TypeName:
    """The name of a type, of FHIR's or of FHIRPath's own (`System.String`) where it says which."""

    name: str
    namespace: str | None = None


@dataclass(frozen=True, slots=True)
class TypeOperation:
    """A question for the type of something (`is`), or what it is if it is of that type (`as`)."""

    operator: Literal["is", "as"]
    operand: Path
    type: TypeName
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Polarity:
    """A sign before a number."""

    sign: Literal["+", "-"]
    operand: Path
    at: int = field(default=0, compare=False)


Path: TypeAlias = (
    Constant
    | Quantity
    | Nothing
    | Variable
    | This
    | Position
    | Total
    | Member
    | Index
    | Call
    | Operation
    | TypeOperation
    | Polarity
)


def children(path: Path) -> tuple[Path, ...]:
    """Return the nodes directly below one."""
    match path:
        case Member(base=base):
            return (base,)
        case Index(base=base, position=position):
            return (base, position)
        case Call(base=base, arguments=arguments):
            return (base, *arguments)
        case Operation(left=left, right=right):
            return (left, right)
        case TypeOperation(operand=operand) | Polarity(operand=operand):
            return (operand,)
    return ()


def type_name(path: Path) -> TypeName | None:
    """Return the type an argument names (`Quantity`, `FHIR.Patient`), which the grammar cannot tell from a path."""
    match path:
        case Member(base=This(), name=name):
            return TypeName(name)
        case Member(base=Member(base=This(), name=namespace), name=name):
            return TypeName(name, namespace)
    return None
