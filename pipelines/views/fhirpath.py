"""Reads the FHIRPath that views are written in: text to a tree, refusing what the grammar here does not know.

The grammar is the subset of FHIRPath N1 (http://hl7.org/fhirpath/N1) that SQL-on-FHIR v2 asks of a view runner.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, TypeAlias

LiteralType: TypeAlias = Literal["string", "integer", "decimal", "boolean", "date", "dateTime", "time"]


class PathSyntaxError(ValueError):
    """The text of a path is not in the grammar; the message says where."""


@dataclass(frozen=True, slots=True)
class Constant:
    """A value written in the path: `'official'`, `3`, `true`, `@2024-01-31`."""

    text: str
    type: LiteralType


@dataclass(frozen=True, slots=True)
class Variable:
    """A name after a percent sign: a constant of the view, `%resource`, `%context` or `%rowIndex`."""

    name: str


@dataclass(frozen=True, slots=True)
class This:
    """What the path starts from: `$this`, also when it is left out."""


@dataclass(frozen=True, slots=True)
class Member:
    """An element of what `base` gives."""

    base: Path
    name: str


@dataclass(frozen=True, slots=True)
class Index:
    """One of the things `base` gives, counted from zero."""

    base: Path
    position: Path


@dataclass(frozen=True, slots=True)
class Call:
    """A function of what `base` gives."""

    base: Path
    name: str
    arguments: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """Two operands and what stands between them."""

    operator: str
    left: Path
    right: Path


@dataclass(frozen=True, slots=True)
class Negation:
    """A minus sign before a number."""

    operand: Path


Path: TypeAlias = Constant | Variable | This | Member | Index | Call | Operation | Negation

_TOKEN = re.compile(
    r"""\s*(?:
    (?P<date>@\d{4}(?:-\d\d(?:-\d\d)?)?(?P<clock>T(?:\d\d(?::\d\d(?::\d\d(?:\.\d+)?)?)?(?:Z|[+-]\d\d:\d\d)?)?)?)
  | (?P<time>@T\d\d(?::\d\d(?::\d\d(?:\.\d+)?)?)?)
  | (?P<number>\d+(?:\.\d+)?)
  | (?P<string>'(?:[^'\\]|\\.)*')
  | (?P<variable>%(?:[A-Za-z_]\w*|`[^`]+`))
  | (?P<quoted>`[^`]+`)
  | (?P<word>\$?[A-Za-z_]\w*)
  | (?P<sign><=|>=|!=|[.()\[\],=<>+\-*/&])
    )""",
    re.VERBOSE | re.ASCII,
)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "f": "\f"}
_BINDING = {
    "or": 1,
    "xor": 1,
    "and": 2,
    "=": 3,
    "!=": 3,
    "<": 4,
    ">": 4,
    "<=": 4,
    ">=": 4,
    "is": 6,
    "as": 6,
    "+": 7,
    "-": 7,
    "&": 7,
    "*": 8,
    "/": 8,
}
_DEEPEST = 50


def parse(text: str) -> Path:
    """Return the tree of a path.

    Raises:
        PathSyntaxError: if it is not in the grammar.
    """
    return _Parser(_tokens(text)).whole()


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    at: int


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    at, end = 0, len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None:
            raise PathSyntaxError(f"cannot be read from character {at + 1} on")
        kind = match.lastgroup if match.lastgroup != "clock" else "date"
        tokens.append(_Token(str(kind), match.group(str(kind)), match.start(str(kind))))
        at = match.end()
    tokens.append(_Token("end", "", end))
    return tokens


class _Parser:
    """A precedence climber over the tokens of one path."""

    def __init__(self, tokens: list[_Token]) -> None:
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
    def _next(self) -> _Token:
        return self._tokens[self._at]

    def _take(self) -> _Token:
        token = self._next
        self._at += 1
        return token

    def _expect(self, sign: str) -> None:
        if self._next.text != sign:
            raise self._unexpected()
        self._take()

    def _unexpected(self) -> PathSyntaxError:
        where = f"character {self._next.at + 1}"
        return PathSyntaxError("ends too early" if self._next.kind == "end" else f"is not understood at {where}")

    def _operation(self, weakest: int) -> Path:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise PathSyntaxError(f"is nested deeper than {_DEEPEST} levels")
        left = self._unary()
        while self._next.kind in ("sign", "word") and _BINDING.get(self._next.text, 0) > weakest:
            operator = self._take().text
            left = Operation(operator, left, self._operation(_BINDING[operator]))
        self._depth -= 1
        return left

    def _unary(self) -> Path:
        if self._next.text == "-" and self._next.kind == "sign":
            self._take()
            return Negation(self._unary())
        return self._steps(self._term())

    def _steps(self, base: Path) -> Path:
        while self._next.kind == "sign" and self._next.text in (".", "["):
            if self._take().text == "[":
                base = Index(base, self._operation(0))
                self._expect("]")
            else:
                base = self._invocation(base)
        return base

    def _term(self) -> Path:
        token = self._next
        if token.kind == "sign" and token.text == "(":
            self._take()
            inner = self._operation(0)
            self._expect(")")
            return inner
        if token.kind == "variable":
            return Variable(self._take().text[1:].strip("`"))
        if token.text == "$this":
            self._take()
            return This()
        return self._constant(token) or self._invocation(This())

    def _constant(self, token: _Token) -> Constant | None:
        constant: Constant | None = None
        if token.kind == "string":
            constant = Constant(_unescape(token.text[1:-1]), "string")
        elif token.kind == "number":
            constant = Constant(token.text, "decimal" if "." in token.text else "integer")
        elif token.kind == "date":
            text = token.text[1:]
            constant = Constant(text.removesuffix("T"), "dateTime" if "T" in text else "date")
        elif token.kind == "time":
            constant = Constant(token.text[2:], "time")
        elif token.kind == "word" and token.text in ("true", "false"):
            constant = Constant(token.text, "boolean")
        if constant is not None:
            self._take()
        return constant

    def _invocation(self, base: Path) -> Path:
        if self._next.kind not in ("word", "quoted") or self._next.text.startswith("$"):
            raise self._unexpected()
        name = self._take().text.strip("`")
        if self._next.text != "(" or self._next.kind != "sign":
            return Member(base, name)
        self._take()
        arguments: list[Path] = []
        while self._next.text != ")":
            if arguments:
                self._expect(",")
            arguments.append(self._operation(0))
        self._take()
        return Call(base, name, tuple(arguments))


def _unescape(text: str) -> str:
    def plain(match: re.Match[str]) -> str:
        if match[1].startswith("u") and len(match[1]) == 5:
            return chr(int(match[1][1:], 16))
        return _ESCAPES.get(match[1], match[1])

    return re.sub(r"\\(u[0-9a-fA-F]{4}|.)", plain, text)
