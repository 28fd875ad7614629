"""FHIR JSON in and out without losing a digit.

FHIR decimals carry their precision (R4 section 2.24.0.1: "1.10" is not "1.1"), which binary floats forget. Most numbers
survive a float round trip, so text is read by orjson first; only text that may hold a number that would change is read
again with `Lexeme`, a Decimal that remembers how it was written.
"""

from __future__ import annotations

import hashlib
import json
import re
from decimal import Decimal, InvalidOperation
from typing import Any, TypeAlias, cast

import orjson

from hub_core.errors import UnreadableError

Json: TypeAlias = dict[str, Any]
"""A JSON object; the values are what JSON has, with Decimal for numbers that must keep their digits."""

MAX_DEPTH = 64
"""Nesting allowed in a resource; R4 resources in use stay below 20, orjson itself stops at 1024."""

_CONTAINERS = (dict, list)

_INTEGER_DIGITS = 19
"""Integers of fewer digits fit into 64 bits, which is what the writer takes."""

_FRACTION = re.compile(rb"-?\d+(?:\.\d+(?:[eE][+-]?\d+)?|[eE][+-]?\d+)")
_LONG_INTEGER = re.compile(rb"(?<![\d.])-?\d{19,}(?![\d.])|-0(?![\d.])")


class Lexeme(Decimal):
    """A decimal that is written back exactly as it was read."""

    text: str

    def __new__(cls, text: str) -> Lexeme:
        """Return the number `text` says, keeping the text.

        Raises:
            ValueError: if no decimal can be that large or small.
        """
        try:
            number = super().__new__(cls, text)
        except InvalidOperation as error:
            raise ValueError("a number out of reach") from error
        number.text = text
        return number


def loads(text: bytes | str) -> Any:
    """Return the JSON value in `text`, numbers digit for digit.

    Raises:
        UnreadableError: if it is not JSON in UTF-8, or nested deeper than `MAX_DEPTH`.
    """
    data = text.encode() if isinstance(text, str) else text
    try:
        value = orjson.loads(data)
        if data.count(b"{") + data.count(b"[") > MAX_DEPTH:  # most resources have too few brackets to be deep
            _refuse_depth(value)
        if not _is_written_back(value, data) and _loses_digits(data):
            value = json.loads(data, parse_float=Lexeme, parse_int=_integer)
    except (ValueError, RecursionError) as error:
        raise UnreadableError(f"not valid JSON: {_reason(error)}", code="invalid") from error
    return value


def load_object(text: bytes | str) -> Json:
    """Return the JSON object in `text`.

    Raises:
        UnreadableError: if it is not a JSON object.
    """
    value = loads(text)
    if not isinstance(value, dict):
        raise UnreadableError("a JSON object was expected", code="invalid")
    return cast(Json, value)


def dumps(value: Any, *, indent: bool = False) -> bytes:
    """Return `value` as UTF-8 JSON, decimals as they were read."""
    return orjson.dumps(value, default=_number, option=orjson.OPT_INDENT_2 if indent else None)


def content_hash(resource: Json) -> bytes:
    """Return the SHA-256 of what the resource says: keys sorted, `meta.lastUpdated` and `meta.versionId` left out."""
    said = resource
    if "meta" in resource:
        meta = {key: value for key, value in resource["meta"].items() if key not in ("lastUpdated", "versionId")}
        said = {key: value for key, value in resource.items() if key != "meta"}
        if meta:
            said["meta"] = meta
    return hashlib.sha256(orjson.dumps(said, default=_number, option=orjson.OPT_SORT_KEYS)).digest()


def _is_written_back(value: Any, data: bytes) -> bool:
    """Return whether `data` is compact JSON that comes out as it went in: then no digit was lost, at little cost."""
    return orjson.dumps(value) == data.strip()


def _integer(text: str) -> int | Lexeme:
    """Return an integer; one that 64 bits or its sign do not hold keeps its text."""
    number = int(text) if len(text) < _INTEGER_DIGITS else None
    return Lexeme(text) if number is None or str(number) != text else number


def _loses_digits(data: bytes) -> bool:
    if any(repr(float(found)).encode() != found for found in _FRACTION.findall(data)):
        return True
    return _LONG_INTEGER.search(data) is not None


def _number(value: object) -> orjson.Fragment:
    if isinstance(value, Lexeme):
        return orjson.Fragment(value.text)
    if isinstance(value, Decimal):
        return orjson.Fragment(format(value, "f"))
    raise TypeError(type(value).__name__)


def _refuse_depth(value: Any) -> None:
    level = [value] if type(value) in _CONTAINERS else []
    for _ in range(MAX_DEPTH):
        level = [
            child
            for parent in level
            for child in (parent.values() if type(parent) is dict else parent)
            if type(child) in _CONTAINERS
        ]
        if not level:
            return
    raise UnreadableError(f"nested deeper than {MAX_DEPTH} levels", code="too-long")


def _reason(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at character {error.pos}"
    return "nested too deeply" if isinstance(error, RecursionError) else "unreadable text"
