"""Reads FHIRPath: text to a tree, the whole grammar of FHIRPath 2.0 (http://hl7.org/fhirpath/N1), nothing else."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal, cast

from hub_core.errors import PathError
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
    TypeName,
    TypeOperation,
    Variable,
    children,
)
from hub_core.fhir.fhirpath.tokens import Token, cut, unquoted

_LEVELS = (
    ("implies",),
    ("or", "xor"),
    ("and",),
    ("in", "contains"),
    ("=", "~", "!=", "!~"),
    ("<=", "<", ">", ">="),
    ("|",),
    ("is", "as"),
    ("+", "-", "&"),
    ("*", "/", "div", "mod"),
)
_BINDING = {operator: level for level, operators in enumerate(_LEVELS, 1) for operator in operators}
_CALENDAR = frozenset({"year", "month", "week", "day", "hour", "minute", "second", "millisecond"})
_SPECIAL: dict[str, type[This | Position | Total]] = {"$this": This, "$index": Position, "$total": Total}
_DEEPEST = 50
"""Brackets within brackets."""
_LONGEST_CHAIN = 150
"""Nodes above one another: steps, operators and brackets together."""
_LONGEST = 20_000
"""Characters."""


@lru_cache(maxsize=2048)
def parse(text: str) -> Path:
    """Return the tree of a path.

    Raises:
        PathError: if it is not in the grammar, nested too deeply or too long.
    """
    if len(text) > _LONGEST:
        raise PathError(f"is longer than {_LONGEST:,} characters", _LONGEST)
    tree = _Parser(cut(text)).whole()
    _refuse_depth(tree)
    return tree


def _refuse_depth(tree: Path) -> None:
    level = [tree]
    for _ in range(_LONGEST_CHAIN):
        level = [child for path in level for child in children(path)]
        if not level:
            return
    raise PathError(f"is a chain of more than {_LONGEST_CHAIN} steps", level[0].at)


class _Parser:
    """A precedence climber over the tokens of one path."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0

    def whole(self) -> Path:
        """Return the tree of all the tokens."""
        tree = self._operation(0)
        if self._next.kind != "end":
            raise self._unexpected()
        return tree

    @property
    def _next(self) -> Token:
        return self._tokens[self._at]

    def _take(self) -> Token:
        token = self._next
        self._at += 1
        return token

    def _is_sign(self, sign: str) -> bool:
        return self._next.kind == "sign" and self._next.text == sign

    def _expect(self, sign: str) -> None:
        if not self._is_sign(sign):
            raise self._unexpected()
        self._take()

    def _unexpected(self) -> PathError:
        return PathError("ends too early" if self._next.kind == "end" else "is not understood", self._next.at)

    def _operation(self, weakest: int) -> Path:
        self._deeper()
        left = self._unary()
        while self._next.kind in ("sign", "word") and _BINDING.get(self._next.text, 0) > weakest:
            token = self._take()
            if token.text in ("is", "as"):
                operator = cast(Literal["is", "as"], token.text)
                left = TypeOperation(operator, left, self._type_name(), token.at)
            else:
                left = Operation(token.text, left, self._operation(_BINDING[token.text]), token.at)
        self._depth -= 1
        return left

    def _deeper(self) -> None:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise PathError(f"is nested deeper than {_DEEPEST} levels", self._next.at)

    def _type_name(self) -> TypeName:
        name = self._name()
        if not self._is_sign("."):
            return TypeName(name)
        self._take()
        return TypeName(self._name(), name)

    def _unary(self) -> Path:
        if self._is_sign("-") or self._is_sign("+"):
            self._deeper()
            token = self._take()
            signed = Polarity(cast(Literal["+", "-"], token.text), self._unary(), token.at)
            self._depth -= 1
            return signed
        return self._steps(self._term())

    def _steps(self, base: Path) -> Path:
        while self._is_sign(".") or self._is_sign("["):
            token = self._take()
            if token.text == "[":
                base = Index(base, self._operation(0), token.at)
                self._expect("]")
            else:
                base = self._invocation(base)
        return base

    def _term(self) -> Path:
        token = self._next
        if self._is_sign("("):
            self._take()
            inner = self._operation(0)
            self._expect(")")
            return inner
        if self._is_sign("{"):
            self._take()
            self._expect("}")
            return Nothing(token.at)
        if token.kind == "variable":
            name = self._take().text[1:]
            return Variable(unquoted(name) if name[0] in "`'" else name, token.at)
        if special := _SPECIAL.get(token.text):
            self._take()
            return special(token.at)
        return self._literal(token) or self._invocation(This(token.at))

    def _literal(self, token: Token) -> Path | None:
        if token.kind == "number":
            return self._number()
        constant: Constant | None = None
        if token.kind == "string":
            constant = Constant(unquoted(token.text), "string", token.at)
        elif token.kind == "date":
            text = token.text[1:]
            constant = Constant(text.removesuffix("T"), "dateTime" if "T" in text else "date", token.at)
        elif token.kind == "time":
            constant = Constant(token.text[2:], "time", token.at)
        elif token.kind == "word" and token.text in ("true", "false"):
            constant = Constant(token.text, "boolean", token.at)
        if constant is not None:
            self._take()
        return constant

    def _number(self) -> Path:
        token, unit = self._take(), self._next
        if unit.kind == "string":
            return Quantity(token.text, unquoted(self._take().text), False, token.at)
        if unit.kind == "word" and unit.text.removesuffix("s") in _CALENDAR:
            return Quantity(token.text, self._take().text.removesuffix("s"), True, token.at)
        return Constant(token.text, "decimal" if "." in token.text else "integer", token.at)

    def _invocation(self, base: Path) -> Path:
        token = self._next
        name = self._name()
        if not self._is_sign("("):
            return Member(base, name, token.at)
        self._take()
        arguments: list[Path] = []
        while not self._is_sign(")"):
            if arguments:
                self._expect(",")
            arguments.append(self._operation(0))
        self._take()
        return Call(base, name, tuple(arguments), token.at)

    def _name(self) -> str:
        token = self._next
        if token.kind == "quoted":
            return unquoted(self._take().text)
        if token.kind != "word" or token.text.startswith("$"):
            raise self._unexpected()
        return self._take().text
