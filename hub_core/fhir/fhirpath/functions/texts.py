"""Functions of texts (FHIRPath 2.0, 5.6, and of the next edition's `trim`, `split`, `join`, `encode` and `decode`)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable

from hub_core.fhir.fhirpath import patterns
from hub_core.fhir.fhirpath.frame import Evaluator, Frame
from hub_core.fhir.fhirpath.functions.site import MOST, Functions, Site, on_one
from hub_core.fhir.fhirpath.nodes import Nodes
from hub_core.fhir.fhirpath.syntax import Constant
from hub_core.fhir.fhirpath.values import made, scalar, single_scalar


def _substring(text: str, start: int, length: int | None = None) -> str | None:
    if not 0 <= start < len(text):
        return None
    return text[start:] if length is None else text[start : start + max(0, length)]


def _matching(run: Callable[..., bool | str]) -> Callable[[Site], Evaluator]:
    """Return the form of a function of a pattern, which is tried before any resource is seen where that can be."""

    def build(site: Site) -> Evaluator:
        first = site.paths[0]
        if isinstance(first, Constant):
            patterns.check(first.text, site.at)
        return on_one(lambda *given: run(*given, site.at), str, str, str)(site)

    return build


def _join(site: Site) -> Evaluator:
    arguments = site.arguments

    def call(this: Nodes, frame: Frame) -> Nodes:
        given = [source(this, frame) for source in arguments]
        separator = single_scalar(given[0], "the separator of join()", site.at) if given else ""
        texts = [scalar(node) for node in site.base(this, frame) if node.value is not None]
        if separator is None or not texts:
            return []
        if not all(isinstance(text, str) for text in (separator, *texts)):
            raise site.refuse("finds what is no text")
        return made(str(separator).join(map(str, texts)))

    return call


def _encode(text: str, how: str) -> str | None:
    data = text.encode()
    if how == "hex":
        return data.hex()
    encode = {"base64": base64.standard_b64encode, "urlbase64": base64.urlsafe_b64encode}.get(how)
    return None if encode is None else encode(data).decode()


def _decode(text: str, how: str) -> str | None:
    try:
        if how == "hex":
            return bytes.fromhex(text).decode()
        decode = {"base64": base64.standard_b64decode, "urlbase64": base64.urlsafe_b64decode}.get(how)
        return None if decode is None else decode(text.encode()).decode()
    except (ValueError, binascii.Error):
        return None


def _replace(text: str, pattern: str, other: str) -> str | None:
    grown = (text.count(pattern) if pattern else len(text) + 1) * len(other)
    return text.replace(pattern, other) if grown <= 100 * MOST else None


TEXT_FUNCTIONS: Functions = {
    "indexOf": (1, 1, on_one(str.find, str, str)),
    "lastIndexOf": (1, 1, on_one(str.rfind, str, str)),
    "substring": (1, 2, on_one(_substring, str, int, int)),
    "startsWith": (1, 1, on_one(str.startswith, str, str)),
    "endsWith": (1, 1, on_one(str.endswith, str, str)),
    "contains": (1, 1, on_one(str.__contains__, str, str)),
    "upper": (0, 0, on_one(str.upper, str)),
    "lower": (0, 0, on_one(str.lower, str)),
    "replace": (2, 2, on_one(_replace, str, str, str)),
    "matches": (1, 1, _matching(patterns.matches)),
    "matchesFull": (1, 1, _matching(patterns.matches_full)),
    "replaceMatches": (2, 2, _matching(patterns.replaced)),
    "length": (0, 0, on_one(len, str)),
    "toChars": (0, 0, on_one(list, str)),
    "trim": (0, 0, on_one(str.strip, str)),
    "split": (1, 1, on_one(lambda text, separator: text.split(separator) if separator else list(text), str, str)),
    "join": (0, 1, _join),
    "encode": (1, 1, on_one(_encode, str, str)),
    "decode": (1, 1, on_one(_decode, str, str)),
}
