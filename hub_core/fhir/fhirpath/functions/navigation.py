"""The ways through a resource and out of it, and the time (FHIRPath 2.0, 5.8 and 5.9; R4, fhirpath.html)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hub_core.fhir.canonical import Json
from hub_core.fhir.fhirpath import nodes as tree
from hub_core.fhir.fhirpath.frame import Evaluator, Frame
from hub_core.fhir.fhirpath.functions.site import Functions, Site, on_all
from hub_core.fhir.fhirpath.kinds import BOOLEAN, DATE, DATE_TIME, STRING, TIME, TYPE_INFO, is_known, kind
from hub_core.fhir.fhirpath.nodes import Node, Nodes, step
from hub_core.fhir.fhirpath.syntax import Constant
from hub_core.fhir.fhirpath.values import made, scalar, single_scalar
from hub_core.fhir.references import target


def _children(nodes: Nodes) -> Nodes:
    return [child for node in nodes for child in tree.children(node)]


def _descendants(nodes: Nodes) -> Nodes:
    return list(tree.descendants(nodes))


def _extension(site: Site) -> Evaluator:
    """Return the extensions that have one address, of primitives too."""
    base, (address,) = site.base, site.arguments
    known = site.paths[0].text if isinstance(site.paths[0], Constant) else None

    def call(this: Nodes, frame: Frame) -> Nodes:
        wanted = known or single_scalar(address(this, frame), "the address of extension()", site.at)
        return [each for each in step(base(this, frame), "extension") if each.value.get("url") == wanted]

    return call


def _has_value(nodes: Nodes) -> bool:
    return len(nodes) == 1 and nodes[0].value is not None and kind(nodes[0].type) not in ("object", "quantity")


def _value(nodes: Nodes) -> Nodes:
    return made(scalar(nodes[0])) if _has_value(nodes) else []


def _resolve(site: Site) -> Evaluator:
    base = site.base

    def call(this: Nodes, frame: Frame) -> Nodes:
        return [found for node in base(this, frame) for found in _resolved(node, frame)]

    return call


def _resolved(node: Node, frame: Frame) -> Iterator[Node]:
    """Yield what a reference or a URI leads to; without a resolver a node with no more than its type and id."""
    text = node.value.get("reference") if isinstance(node.value, dict) else node.value
    if isinstance(text, str) and text.startswith("#"):
        yield from _contained(text[1:], frame.given.resource)
        return
    given = frame.given.resolver
    found = given(text) if given is not None and isinstance(text, str) else None
    if found is None and given is None:
        found = _known_of(text, node.value)
    if found is not None:
        yield tree.of_resource(found)


def _contained(name: str, resource: Node) -> Iterator[Node]:
    if not name:
        yield resource
    for each in step([resource], "contained"):
        if each.value.get("id") == name:
            yield each


def _known_of(text: Any, reference: Any) -> Json | None:
    """Return type and id of the resource a reference means, as far as the reference itself tells them."""
    found = target(text) if isinstance(text, str) else None
    if found is not None:
        return {"resourceType": found.resource_type, "id": found.resource_id}
    named = reference.get("type") if isinstance(reference, dict) else None
    return {"resourceType": named} if isinstance(named, str) and is_known(named) else None


def _resource_key(nodes: Nodes) -> Nodes:
    return [Node(each.value, STRING) for each in step(nodes, "id")]


def _reference_key(site: Site) -> Evaluator:
    base, wanted = site.base, site.type.name if site.paths else None

    def call(this: Nodes, frame: Frame) -> Nodes:
        keys: Nodes = []
        for each in step(base(this, frame), "reference"):
            found = target(each.value) if isinstance(each.value, str) else None
            if found is not None and wanted in (None, found.resource_type):
                keys += made(found.resource_id)
        return keys

    return call


def _types(nodes: Nodes) -> Nodes:
    return [Node(_type_info(node.type), TYPE_INFO) for node in nodes]


def _type_info(type_name: str) -> Json:
    if type_name.startswith("System."):
        return {"namespace": "System", "name": type_name.removeprefix("System.")}
    return {"namespace": "FHIR", "name": type_name}


def _now(site: Site) -> Evaluator:
    return lambda this, frame: [Node(frame.given.now.isoformat(timespec="milliseconds"), DATE_TIME)]


def _today(site: Site) -> Evaluator:
    return lambda this, frame: [Node(frame.given.now.date().isoformat(), DATE)]


def _time_of_day(site: Site) -> Evaluator:
    return lambda this, frame: [Node(frame.given.now.time().isoformat(timespec="milliseconds"), TIME)]


NAVIGATION_FUNCTIONS: Functions = {
    "children": (0, 0, on_all(_children)),
    "descendants": (0, 0, on_all(_descendants)),
    "extension": (1, 1, _extension),
    "hasValue": (0, 0, on_all(lambda nodes: [Node(_has_value(nodes), BOOLEAN)])),
    "getValue": (0, 0, on_all(_value)),
    "resolve": (0, 0, _resolve),
    "getResourceKey": (0, 0, on_all(_resource_key)),
    "getReferenceKey": (0, 1, _reference_key),
    "type": (0, 0, on_all(_types)),
    "now": (0, 0, _now),
    "today": (0, 0, _today),
    "timeOfDay": (0, 0, _time_of_day),
}
