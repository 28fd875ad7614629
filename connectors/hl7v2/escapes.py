r"""Escape sequences of HL7 v2 (chapter 2, section 2.7): `\F\ \S\ \T\ \R\ \E\ \P\ \.br\ \Xhh\` to text and back.

Highlighting (`\H\`, `\N\`) is dropped, line-breaking commands become line breaks; sequences nobody can read here
(character set switches, local `\Z..\`) stay as they were written, for a text with a strange word in it loses nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_BREAK = re.compile(r"\.(?:br|sp)([+-]?\d*)\Z")
_DROPPED = {"H", "N", ".fi", ".nf", ".ce"}
_INDENT = re.compile(r"\.(?:in|ti|sk)[+-]?\d*\Z")
_HEXADECIMAL = re.compile(r"X((?:[0-9A-Fa-f]{2})+)\Z")
_BREAKS_LIMIT = 50


def unescape(text: str, escape: str, letters: Mapping[str, str], codec: str) -> str:
    r"""Return `text` with its escape sequences resolved.

    Args:
        text: a field, component or subcomponent as it stands in the message.
        escape: the message's escape character.
        letters: what each one-letter sequence means, e.g. `{"F": "|", "E": "\\"}`.
        codec: the message's character encoding, in which the bytes of `\Xhh\` are read.
    """
    pieces = text.split(escape)
    result = [pieces[0]]
    index = 1
    while index < len(pieces):
        closed = index + 1 < len(pieces)
        meaning = _meaning(pieces[index], letters, codec) if closed else None
        if meaning is None:
            result.append(escape + pieces[index])
            index += 1
        else:
            result.append(meaning + pieces[index + 1])
            index += 2
    return "".join(result)


def escape_text(text: str, escape: str, letters: Mapping[str, str]) -> str:
    """Return `text` so that it can stand in one subcomponent: delimiters and line ends escaped."""
    by_character = {character: f"{escape}{letter}{escape}" for letter, character in letters.items()}
    by_character |= {"\r": f"{escape}X0D{escape}", "\n": f"{escape}X0A{escape}"}
    return "".join(by_character.get(character, character) for character in text)


def _meaning(sequence: str, letters: Mapping[str, str], codec: str) -> str | None:
    if sequence in letters:
        return letters[sequence]
    if sequence in _DROPPED or _INDENT.match(sequence):
        return ""
    if found := _BREAK.match(sequence):
        count = int(found[1] or 1) if found[1] not in ("+", "-") else 1
        return "\n" * min(max(count, 1), _BREAKS_LIMIT)
    if found := _HEXADECIMAL.match(sequence):
        try:
            return bytes.fromhex(found[1]).decode(codec)
        except UnicodeDecodeError:
            return None
    return None
