"""How an element of another release is said in R4: the ways that several elements share.

A rule is given the object that held the element, its name and value, already taken out; it puts what R4 has in place
and returns True, or leaves all as it is and returns False: then the element is kept as an extension or refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from hub_core.fhir.canonical import Json

Rule: TypeAlias = Callable[[Json, str, Any], bool]
Rules: TypeAlias = Mapping[str, Rule]

TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"


def renamed(to: str) -> Rule:
    """Let an element have another name, unless that is taken."""

    def rule(node: Json, _: str, value: Any) -> bool:
        return node.setdefault(to, value) is value

    return rule


def in_array(to: str | None = None) -> Rule:
    """Put what was one into an array of one."""

    def rule(node: Json, name: str, value: Any) -> bool:
        return _put(node, to or name, [value])

    return rule


def only_one(to: str | None = None) -> Rule:
    """Take the one that an array holds; several have no place."""

    def rule(node: Json, name: str, value: Any) -> bool:
        return len(value) == 1 and _put(node, to or name, value[0])

    return rule


def concept(system: str, *known: str) -> Rule:
    """Make a code a concept of a code system; codes that R4 does not know have no place."""

    def rule(node: Json, name: str, value: Any) -> bool:
        said = {"coding": [{"system": f"{TERMINOLOGY}/{system}", "code": value}]}
        return value in known and _put(node, name, said)

    return rule


def code(*known: str) -> Rule:
    """Make a concept a plain code, one that R4 knows."""

    def rule(node: Json, name: str, value: Any) -> bool:
        codes = [each.get("code") for each in value.get("coding", ())]
        return len(codes) == 1 and codes[0] in known and _put(node, name, codes[0])

    return rule


def parted(concepts: str | None, references: str | None, *, is_array: bool = True) -> Rule:
    """Part concepts-or-references into concepts and references, which R4 has under two names or only one of."""

    def rule(node: Json, _: str, value: Any) -> bool:
        every = value if isinstance(value, list) else [value]
        said: dict[str | None, list[Any]] = {
            concepts: [each["concept"] for each in every if "concept" in each],
            references: [each["reference"] for each in every if "reference" in each],
        }
        said = {name: values for name, values in said.items() if values}
        if None in said or any(name in node for name in said) or any(each.keys() - _PARTS for each in every):
            return False
        if not is_array and any(len(values) > 1 for values in said.values()):
            return False
        node.update({str(name): values if is_array else values[0] for name, values in said.items()})
        return True

    return rule


_PARTS = {"concept", "reference"}


def encounter(node: Json, _: str, value: Any) -> bool:
    """Let the context of STU3, which may be an EpisodeOfCare too, be the encounter where it is one."""
    text = value.get("reference", "")
    return "EpisodeOfCare/" not in text and _put(node, "encounter", value)


def below(parent: str, to: str | None = None) -> Rule:
    """Put an element into an object beside it, made where it is missing."""

    def rule(node: Json, name: str, value: Any) -> bool:
        held = node.get(parent, {})
        if not isinstance(held, dict) or (to or name) in held:
            return False
        node[parent] = {**held, to or name: value}
        return True

    return rule


def merged(parent: str) -> Rule:
    """Put the parts of an object into one beside it, made where it is missing."""

    def rule(node: Json, _: str, value: Any) -> bool:
        held = node.get(parent, {})
        if not isinstance(held, dict) or held.keys() & value.keys():
            return False
        node[parent] = {**held, **value}
        return True

    return rule


def in_first(parent: str) -> Rule:
    """Put an element into the first object of an array beside it, made where it is missing."""

    def rule(node: Json, name: str, value: Any) -> bool:
        first, *others = node.get(parent, [{}])
        if name in first:
            return False
        node[parent] = [{**first, name: value}, *others]
        return True

    return rule


def by_uri(to: str) -> Rule:
    """Let a URI be a reference by identifier (R4 section 2.3.0.2)."""

    def rule(node: Json, _: str, value: Any) -> bool:
        return _put(node, to, {"identifier": {"system": "urn:ietf:rfc:3986", "value": value}})

    return rule


def extended(value: Json, url: str, said: Mapping[str, Any]) -> Json:
    """Return a value with one more extension."""
    return {**value, "extension": [*value.get("extension", ()), {"url": url, **said}]}


def _put(node: Json, name: str, value: Any) -> bool:
    if name in node:
        return False
    node[name] = value
    return True
