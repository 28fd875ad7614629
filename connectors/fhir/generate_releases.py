"""Makes `releases.json`: what STU3 and R5 have in a resource of R4 that R4 has not, or in another form.

    python -m connectors.fhir.generate_releases

Read from the models of `fhir.resources`, which are generated from the three specifications.
"""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Collection
from pathlib import Path
from typing import Any, Final

from hub_core.fhir.registry import RESOURCE_TYPES

_PACKAGES: Final = {"STU3": "fhir.resources.STU3", "R5": "fhir.resources"}
_R4: Final = "fhir.resources.R4B"
_PRIMITIVE: Final = "primitive"
_DATA_TYPES: Final = (
    "Attachment",
    "DataRequirement",
    "Dosage",
    "Money",
    "RelatedArtifact",
    "SampledData",
    "Signature",
    "TriggerDefinition",
)
"""Data types that are not the same inside, each behind those it holds; what defines elements is left out."""


def main() -> None:
    """Write the table beside this file."""
    table = {release: _release(package) for release, package in _PACKAGES.items()}
    text = json.dumps(table, indent=1, sort_keys=True)
    Path(__file__).with_name("releases.json").write_text(text + "\n", encoding="utf-8")


def _release(package: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for kind in (*_DATA_TYPES, *sorted(RESOURCE_TYPES)):
        theirs, ours = _model(package, kind, kind), _model(_R4, kind, kind)
        types = found.keys() & set(_DATA_TYPES)
        if theirs is not None and ours is not None and (marks := _marks(package, kind, theirs, ours, types)):
            found[kind] = marks
    return found


def _marks(
    package: str, module: str, theirs: Any, ours: Any, types: Collection[str], above: tuple[Any, ...] = ()
) -> dict[str, Any]:
    """Return the elements R4 has not as `Period` or `Period*`, those of backbones that both have as tables.

    Where a backbone stands, or R4 has another object, `@?role,actor*` says which elements tell that it is this one.

    Where a data type stands that is not the same inside, `#Dosage` says so: what it has stands under its own name. A
    backbone that repeats one above it (`Questionnaire.item.item`) is not gone into.
    """
    known = {name: (kind, is_array) for name, kind, is_array in _elements(ours)}
    marks: dict[str, Any] = {}
    for name, kind, is_array in _elements(theirs):
        inner = _model(package, module, kind) if _is_backbone(kind, module) else None
        ours_kind, ours_array = known.get(name, ("", False))
        if inner is not None and _is_backbone(ours_kind, module) and is_array == ours_array:
            if inner not in (theirs, *above) and (
                nested := _marks(package, module, inner, _model(_R4, module, ours_kind), types, (*above, theirs))
            ):
                marks[name] = nested
        elif kind == ours_kind and is_array == ours_array and kind in types:
            marks[name] = f"#{kind}"
        elif not ours_kind or is_array != ours_array or _form(kind, module) != _form(ours_kind, module):
            told_by = ""
            if _is_object(kind) and kind != "CodeableReference" and (inner is not None or _is_object(ours_kind)):
                rivals = _children(_R4, module, ours_kind) if is_array == ours_array else set()
                told_by = ",".join(sorted(_children(package, module, kind) - rivals))
                if not told_by:
                    continue
            marks[name] = ("@" if inner is not None else kind) + (f"?{told_by}" if told_by else "")
            marks[name] += "*" if is_array else ""
    return marks


def _is_object(kind: str) -> bool:
    return kind[:1].isupper()


def _children(package: str, module: str, kind: str) -> set[str]:
    """Return the elements of a backbone or data type, `name+` for an array; none of what is no object."""
    model = _model(package, module if _is_backbone(kind, module) else kind, kind) if _is_object(kind) else None
    found = _elements(model) if model is not None else []
    return {f"{name}+" if is_array else name for name, _, is_array in found} - {"modifierExtension+"}


def _elements(model: Any) -> list[tuple[str, str, bool]]:
    """Return name, type and whether it is an array, of each element of a model."""
    found = []
    for field in model.model_fields.values():
        if not (field.json_schema_extra or {}).get("element_property") or field.alias in ("id", "extension"):
            continue
        annotation = repr(field.annotation)
        complex_type = re.search(r"abc\.(\w+?)Type\b", annotation)
        primitive = re.search(r"(\w+)\(\)\]", annotation)
        plain = primitive[1][0].lower() + primitive[1][1:] if primitive else _plain(annotation)
        found.append((field.alias, complex_type[1] if complex_type else plain, "List[" in annotation))
    return found


def _plain(annotation: str) -> str:
    return "boolean" if "bool" in annotation else "integer" if "int" in annotation else "string"


def _form(kind: str, module: str) -> str:
    """Return what can be told apart in JSON: an object, a primitive, a backbone, a reference with a concept."""
    if kind[:1].islower():
        return _PRIMITIVE
    return kind if kind == "CodeableReference" else "backbone" if _is_backbone(kind, module) else "object"


def _is_backbone(kind: str, module: str) -> bool:
    return kind.startswith(module) and kind != module


def _model(package: str, module: str, name: str) -> Any:
    try:
        return getattr(importlib.import_module(f"{package}.{module.lower()}"), name)
    except (ImportError, AttributeError):
        return None


if __name__ == "__main__":
    main()
