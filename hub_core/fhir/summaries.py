"""A resource with some of its elements only, said to be so (R4 sections 3.1.1.5.8 and 3.1.1.5.9).

Which elements a summary shows is told of whole elements at the top of a resource, as the specification marks them.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Final, Literal, TypeAlias

import orjson

from hub_core.fhir import elements
from hub_core.fhir.canonical import Json

Part: TypeAlias = Literal["true", "text", "data"]

_ALWAYS: Final = frozenset({"resourceType", "id", "meta", "implicitRules", "modifierExtension"})
_SUBSETTED: Final = {"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "SUBSETTED"}


def summary(resource: Json, part: Part) -> Json:
    """Return what a summary shows: `true` what R4 marks, `text` the narrative, `data` all but the narrative."""
    if part == "data":
        return _tagged({name: value for name, value in resource.items() if name != "text"})
    table = _table()[resource["resourceType"]]
    return _only(resource, table["summary"] if part == "true" else ["text", *table["mandatory"]])


def subset(resource: Json, names: Iterable[str]) -> Json:
    """Return some elements of a resource, and those that may not be missing."""
    return _only(resource, [*names, *_table()[resource["resourceType"]]["mandatory"]])


def _only(resource: Json, names: Iterable[str]) -> Json:
    kind = resource["resourceType"]
    found = [element for name in names if (element := elements.element(kind, name))]
    shown = _ALWAYS | {element.json_name(each) for element in found for each in element.types}
    return _tagged({name: value for name, value in resource.items() if name.removeprefix("_") in shown})


def _tagged(resource: Json) -> Json:
    meta = resource.get("meta", {})
    return {**resource, "meta": {**meta, "tag": [*meta.get("tag", []), _SUBSETTED]}}


@cache
def _table() -> dict[str, dict[str, list[str]]]:
    table: dict[str, dict[str, list[str]]] = orjson.loads(files(__package__).joinpath("summaries.json").read_bytes())
    return table
