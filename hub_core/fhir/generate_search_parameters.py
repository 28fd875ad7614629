"""Writes `search_parameters.json` from the R4 search parameters: run by hand when the specification is replaced.

    python -m hub_core.fhir.generate_search_parameters search-parameters.json search-parameters-uscore.json

The first file comes from the FHIR R4 (4.0.1) download `definitions.json.zip`, which HL7 publishes under CC0; further
ones add parameters, such as those of US Core. The FHIRPath of each parameter becomes *ways* through the JSON of a
resource, so that nothing has to evaluate FHIRPath while resources are written: `[type at the end, step, ...]`, where a
step is a property, or `{property: value}` for what must stand there. Parameters that name no elements (`_text`), want
a place on earth (`near`) or how a name sounds (`phonetic`) are left out: nobody could answer them from an index.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any, Final, TypeAlias

from hub_core.fhir import elements
from hub_core.fhir.fhirpath.parsing import parse
from hub_core.fhir.fhirpath.syntax import Call, Constant, Member, Operation, This, TypeOperation, type_name
from hub_core.fhir.fhirpath.syntax import Path as Tree
from hub_core.fhir.search_parameters import KINDS_OF_TYPES

TARGET = Path(__file__).with_name("search_parameters.json")

Way: TypeAlias = tuple[Any, ...]
"""The type at the end, then the steps; a tuple of pairs is a condition on what was reached."""

_LEFT_OUT: Final = frozenset({"phonetic", "near", "_text", "_content", "_query", "_id", "_lastUpdated"})
_EVERYWHERE: Final = frozenset({"Resource", "DomainResource"})
_ABSTRACT: Final = "Resource"
_ANY_TYPE: Final = 100
"""A parameter of so many targets has any type as its target."""


class NoWayError(ValueError):
    """The expression is more than ways through elements."""


def generate(paths: list[Path]) -> bytes:
    """Return the text of `search_parameters.json`: one line per parameter, by type."""
    definitions = [entry["resource"] for path in paths for entry in json.loads(path.read_bytes())["entry"]]
    types: dict[str, dict[str, Any]] = {}
    composites = []
    for definition in definitions:
        for base in definition["base"]:
            owner = _ABSTRACT if base in _EVERYWHERE else base
            if definition["code"] in _LEFT_OUT:
                continue
            if definition["type"] == "composite":
                composites.append((owner, definition))
            elif found := _parameter(owner, definition):
                types.setdefault(owner, {}).setdefault(definition["code"], found)
    kinds = {definition["url"]: definition["type"] for definition in definitions}
    for owner, definition in composites:
        if found := _composite(owner, definition, types[owner], kinds):
            types[owner][definition["code"]] = found
    return _written(types)


def _parameter(owner: str, definition: dict[str, Any]) -> dict[str, Any] | None:
    expression = _part_of(owner, definition.get("expression", ""))
    found = _ways_of(owner, expression, definition["type"])
    if not found:
        return None
    parameter = {"type": definition["type"], "expression": expression, "ways": [_as_json(way) for way in found]}
    targets = definition.get("target", ())
    if 0 < len(targets) < _ANY_TYPE:
        parameter["targets"] = sorted(targets)
    return parameter


def _composite(
    owner: str, definition: dict[str, Any], known: dict[str, Any], kinds: dict[str, str]
) -> dict[str, Any] | None:
    """Return a composite as groups: the property whose repetitions keep values apart, and the parameters in it."""
    expression = _part_of(owner, definition["expression"])
    groups = []
    for base in _alternatives(expression):
        (_, *steps), *_ = _ways(owner, parse(base))
        parts = []
        for component in definition["component"]:
            outside = component["expression"].startswith("%resource.")
            inner = component["expression"].replace("%resource", owner) if outside else component["expression"]
            whole = inner if outside else " | ".join(f"{base}.{each.strip()}" for each in _alternatives(inner))
            name, is_inside = _named(owner, whole, kinds[component["definition"]], known), not outside and bool(steps)
            # of a reference it is not kept which repetition it stands in
            if name and not (is_inside and known[name]["type"] == "reference"):
                parts.append([name, is_inside])
        if len(parts) == len(definition["component"]) and len(steps) <= 1:
            groups.append([*(steps or [""]), parts])
    return {"type": "composite", "expression": expression, "groups": groups} if groups else None


def _named(owner: str, expression: str, kind: str, known: dict[str, Any]) -> str | None:
    """Return the parameter that goes the same ways; of the kind that was said, or else (a slip of R4's) of another."""
    for wanted in (kind, *sorted({each["type"] for each in known.values()} - {kind})):
        ways = [_as_json(way) for way in _ways_of(owner, expression, wanted)]
        fits = [
            name
            for name, parameter in known.items()
            if ways and parameter["type"] == wanted and all(way in parameter["ways"] for way in ways)
        ]
        if fits:
            return min(fits, key=lambda name: len(known[name]["ways"]))
    return None


def _alternatives(expression: str) -> list[str]:
    return [part.strip() for part in re.split(r"\s*\|\s*", expression)]


def _part_of(owner: str, expression: str) -> str:
    """Return the alternatives of an expression that begin with a type: one definition often serves many types."""
    parts = [part for part in _alternatives(expression) if re.match(rf"\(*{owner}\b", part)]
    if not parts and expression[:1].islower():
        parts = [f"{owner}.{part}" for part in _alternatives(expression)]
    return " | ".join(parts)


def _ways_of(owner: str, expression: str, kind: str) -> list[Way]:
    """Return the ways to values that can be compared like this kind; none where the expression is no way at all."""
    found: list[Way] = []
    for part in _alternatives(expression):
        try:
            ways = _ways(owner, parse(part)) if part else []
        except NoWayError:
            continue
        found += [way for way in ways if kind in KINDS_OF_TYPES.get(way[0].partition("(")[0], ()) and way not in found]
    return found


def _ways(owner: str, tree: Tree) -> list[Way]:
    match tree:
        case This():
            return [(owner,)]
        case Member(base=This(), name=name) if name == owner or (owner == _ABSTRACT and name in _EVERYWHERE):
            return [(owner,)]
        case Member(base=base, name=name):
            return [longer for way in _ways(owner, base) for longer in _steps(way, name)]
        case Call(base=base, name="ofType" | "as", arguments=(wanted,)) if kind := type_name(wanted):
            return _only(_ways(owner, base), kind.name)
        case TypeOperation(operator="as", operand=base, type=kind):
            return _only(_ways(owner, base), kind.name)
        case Call(base=base, name="where", arguments=(wanted,)):
            return [_where(way, wanted) for way in _ways(owner, base)]
        case Operation(operator="and", left=Call(base=base, name="exists"), right=Operation(operator="!=")):
            return [("fact", *way[1:]) for way in _ways(owner, base)]
    raise NoWayError


def _steps(way: Way, name: str) -> list[Way]:
    """Return a way with one more step: several where the element is a choice of types."""
    kind, *steps = way
    if (kind, name) == ("Coding", "code"):  # a code means something together with its system
        return [way]
    if name == "code" and steps and steps[-1] == f"value{kind}":  # of an extension's choice, only a Coding is meant
        return []
    if found := elements.element(kind, name):
        return [(each, *steps, found.json_name(each)) for each in found.types]
    found_json = elements.json_elements(kind).get(name)
    return [(found_json[0], *steps, name)] if found_json else []


def _only(ways: list[Way], kind: str) -> list[Way]:
    """Return those ways that end in a type; R4 misspells some (`DateTime`)."""
    return [way for way in ways if way[0].lower() == kind.lower()]


def _where(way: Way, wanted: Tree) -> Way:
    match wanted:
        case Operation(operator="=", left=Member(base=This(), name=name), right=Constant(text=text)):
            return (*way, ((name, text),))
        case TypeOperation(operator="is", operand=Call(name="resolve"), type=kind) if way[0] == "Reference":
            return (f"Reference({kind.name})", *way[1:])
    raise NoWayError


def _as_json(way: Way) -> list[Any]:
    return [dict(step) if isinstance(step, tuple) else step for step in way]


def _written(types: dict[str, dict[str, Any]]) -> bytes:
    lines = []
    for owner, parameters in sorted(types.items()):
        inside = (
            f"{json.dumps(name)}:{json.dumps(found, separators=(',', ':'))}" for name, found in parameters.items()
        )
        lines.append(f"{json.dumps(owner)}:{{\n" + ",\n".join(sorted(inside)) + "\n}")
    return ("{" + ",\n".join(lines) + "}\n").encode()


if __name__ == "__main__":
    TARGET.write_bytes(generate([Path(argument) for argument in sys.argv[1:]]))
