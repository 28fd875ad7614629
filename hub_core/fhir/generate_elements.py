"""Writes `elements.json` from the FHIR R4 definitions: run by hand when the specification is replaced.

    python -m hub_core.fhir.generate_elements profiles-resources.json.gz profiles-types.json.gz

Both files come from the FHIR R4 (4.0.1) download `definitions.json.zip`, which HL7 publishes under CC0.
"""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

TARGET = Path(__file__).with_name("elements.json")
_FHIR_TYPE = "http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type"


def definitions(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the StructureDefinitions of R4 resources and complex data types in a definitions Bundle."""
    with gzip.open(path) as file:
        bundle = json.load(file)
    for entry in bundle["entry"]:
        resource = entry["resource"]
        if resource["resourceType"] != "StructureDefinition" or resource.get("derivation") == "constraint":
            continue
        # The bundle of 4.0.1 carries strays of later releases.
        if resource["kind"] in ("resource", "complex-type") and resource["fhirVersion"] == "4.0.1":
            yield resource


def owners(definition: dict[str, Any]) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield (`Patient` or `Patient.contact`, its elements in the order of the specification) of one definition."""
    elements: dict[str, dict[str, str]] = {}
    for element in definition["snapshot"]["element"]:
        owner, _, name = element["path"].rpartition(".")
        if owner:
            elements.setdefault(owner, {})[name] = _shape(element)
    if definition["kind"] == "resource":
        # The definitions call it a System.String; R4 section 2.27.3 gives a resource's id the type id.
        elements[definition["type"]]["id"] = "id"
    yield from elements.items()


def generate(paths: list[Path]) -> bytes:
    """Return the text of `elements.json`: one line per type or backbone element, resources apart from data types."""
    structures = [definition for path in paths for definition in definitions(path)]
    sections = []
    for section, kind in (("resources", "resource"), ("datatypes", "complex-type")):
        lines = [
            f"{json.dumps(owner)}:{json.dumps(elements, separators=(',', ':'))}"
            for structure in sorted(structures, key=lambda structure: str(structure["type"]))
            if structure["kind"] == kind
            for owner, elements in owners(structure)
        ]
        sections.append(f'"{section}":{{\n' + ",\n".join(lines) + "\n}")
    return ("{" + ",\n".join(sections) + "}\n").encode()


def _shape(element: dict[str, Any]) -> str:
    """Return the types of an element, `|` between them, `*` behind if it repeats, `!` if it may not be missing.

    `boolean|dateTime`, `HumanName*`, `code!`, `Reference*!`.
    """
    if reference := element.get("contentReference"):
        types = str(reference).removeprefix("#")
    else:
        types = "|".join(_type_name(element["path"], kind) for kind in element["type"])
    # The base decides whether JSON has an array there, whatever a specialisation narrowed its maximum to.
    return types + ("" if element["base"]["max"] in ("0", "1") else "*") + ("!" if element.get("min") else "")


def _type_name(path: str, kind: dict[str, Any]) -> str:
    if kind["code"] in ("BackboneElement", "Element"):
        return path
    for extension in kind.get("extension", ()):
        if extension["url"] == _FHIR_TYPE:
            return str(extension["valueUrl"])
    return str(kind["code"])


if __name__ == "__main__":
    TARGET.write_bytes(generate([Path(argument) for argument in sys.argv[1:]]))
