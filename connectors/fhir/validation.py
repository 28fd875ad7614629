"""Checks a FHIR record for people who ask: as `convert` would read it, then against the models of FHIR R4.

The models are those of `fhir.resources` (R4B, whose types of R4 are the same), imported here because it takes a second.
What it says of an element is told by kind of fault and place, never with the value found there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from connectors.connector import Issue
from connectors.fhir import bundle, releases, structure
from hub_core.errors import UnreadableError
from hub_core.fhir.canonical import Json

_FAULTS: Final[dict[str, tuple[str, str]]] = {
    "missing": ("required", "a required element is missing"),
    "extra_forbidden": ("structure", "R4 has no such element here"),
    "list_type": ("structure", "an array was expected"),
    "string_type": ("value", "a string was expected"),
    "bool_parsing": ("value", "true or false was expected"),
    "bool_type": ("value", "true or false was expected"),
    "int_parsing": ("value", "a whole number was expected"),
    "int_type": ("value", "a whole number was expected"),
    "json_invalid": ("structure", "an object was expected"),
    "model_type": ("structure", "an object was expected"),
    "model_validation_format": ("structure", "an object was expected"),
    "string_pattern_mismatch": ("value", "the value does not have the form of its type"),
    "value_error": ("value", "the value does not have the form of its type"),
}
_ANY_FAULT: Final = ("invalid", "the value is not what R4 has here")


def check(text: bytes, location: str = "") -> Iterator[Issue]:
    """Yield every issue of one record, a resource or a Bundle; `location` goes before each place (`line 7`)."""
    for issue in _check(text):
        place = f"{location}: {issue.location}" if location and issue.location else location or issue.location
        yield Issue(issue.severity, issue.code, issue.text, place)


def _check(text: bytes) -> Iterator[Issue]:
    inspector = structure.Inspector(text)
    try:
        record = structure.load(text)
        kind = structure.resource_type(record)
        for name in _repeated_names(text):
            said = "a property is there twice; the last one counts"
            yield Issue("warning", "structure", said, structure.shown(name))
        yield from inspector.inspect(record, kind) if kind != "Bundle" else _entry_issues(record, inspector)
        record, told = releases.to_r4(record, kind)
        yield from told
    except UnreadableError as error:
        yield Issue("error", error.code, error.text, error.location)
        return
    yield from _model_issues(kind, record if kind != "Bundle" else _without_resources(record), kind)


def _entry_issues(record: Json, inspector: structure.Inspector) -> Iterator[Issue]:
    """Yield what is wrong with the entries of a Bundle, each checked by itself, in order.

    The models would give up on a Bundle at the first type they do not know.
    """
    issues: list[Issue] = []
    for entry in bundle.entries(record, inspector, issues):
        yield from issues
        issues.clear()
        if isinstance(entry, bundle.Entry):
            yield from _model_issues(entry.resource["resourceType"], entry.resource, entry.location)
    yield from issues


def _without_resources(record: Json) -> Json:
    entries = record.get("entry")
    if not isinstance(entries, list):
        return record
    bare = [
        {name: value for name, value in entry.items() if name != "resource"} if isinstance(entry, dict) else entry
        for entry in entries
    ]
    return {**record, "entry": bare}


def _model_issues(kind: str, resource: Json, location: str) -> Iterator[Issue]:
    from fhir.resources.R4B import get_fhir_model_class
    from pydantic import ValidationError

    try:
        get_fhir_model_class(kind).model_validate(resource)
    except ValidationError as error:
        for fault in error.errors(include_url=False, include_context=False, include_input=False):
            code, text = _FAULTS.get(fault["type"], _ANY_FAULT)
            yield Issue("error", code, text, location + _place(fault["loc"]))
    except (KeyError, ValueError, TypeError, AttributeError):
        # The models raise these for types they lack, here or among the contained resources.
        text = "not checked against the models of R4, which do not know it"
        yield Issue("information", "not-supported", text, location)


def _place(steps: tuple[int | str, ...]) -> str:
    return "".join(
        f"[{step}]" if isinstance(step, int) else f".{structure.shown(step)}" for step in steps if step != "root"
    )


def _repeated_names(text: bytes) -> list[str]:
    """Return the names that stand twice in one object of a JSON text, each once."""
    found: dict[str, None] = {}

    def note(pairs: list[tuple[str, Any]]) -> Json:
        names = [name for name, _ in pairs]
        if len(set(names)) < len(names):
            found.update((name, None) for name in names if names.count(name) > 1)
        return dict(pairs)

    json.loads(text, object_pairs_hook=note)
    return list(found)
