"""Cuts the text of a FHIRPath expression into words, signs and literals, leaving out spaces and comments."""

from __future__ import annotations

import re
from dataclasses import dataclass

from hub_core.errors import PathError

_SKIPPED = re.compile(r"(?:\s+|//[^\n]*|/\*(?:[^*]|\*(?!/))*\*/)+")
_TOKEN = re.compile(
    r"""
    (?P<time>@T\d\d(?::\d\d(?::\d\d(?:\.\d+)?)?)?)
  | (?P<date>@\d{4}(?:-\d\d(?:-\d\d)?)?(?:T(?:\d\d(?::\d\d(?::\d\d(?:\.\d+)?)?)?(?:Z|[+-]\d\d:\d\d)?)?)?)
  | (?P<number>\d+(?:\.\d+)?)
  | (?P<string>'(?:[^'\\]|\\.)*')
  | (?P<variable>%(?:[A-Za-z_]\w*|`(?:[^`\\]|\\.)+`|'(?:[^'\\]|\\.)+'))
  | (?P<quoted>`(?:[^`\\]|\\.)+`)
  | (?P<word>\$?[A-Za-z_]\w*)
  | (?P<sign><=|>=|!=|!~|[.()\[\]{},=<>+\-*/&|~])
    """,
    re.VERBOSE | re.ASCII | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "f": "\f"}


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the text, and where it begins."""

    kind: str
    text: str
    at: int


def cut(text: str) -> list[Token]:
    """Return the tokens of a path, the last of the kind `end`.

    Raises:
        PathError: at the first character that begins no token.
    """
    tokens: list[Token] = []
    at = _after_spaces(text, 0)
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise PathError("cannot be read", at)
        tokens.append(Token(str(match.lastgroup), match[0], at))
        at = _after_spaces(text, match.end())
    tokens.append(Token("end", "", len(text)))
    return tokens


def unquoted(text: str) -> str:
    """Return what a text in quotes says, escapes resolved (FHIRPath 4.1.3)."""
    return _ESCAPE.sub(_plain, text[1:-1]) if "\\" in text else text[1:-1]


def _plain(match: re.Match[str]) -> str:
    said = match[1]
    if len(said) == 5:
        return chr(int(said[1:], 16))
    return _ESCAPES.get(said, said)


def _after_spaces(text: str, at: int) -> int:
    match = _SKIPPED.match(text, at)
    return match.end() if match else at
