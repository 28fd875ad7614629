"""The generator reads definitions as HL7 publishes them and leaves out profiles and strays of other releases."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

from hub_core.fhir.generate_elements import generate

FHIR_TYPE = "http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type"


def element(path: str, *types: str, most: str = "1", **other: Any) -> dict[str, Any]:
    return {"path": path, "base": {"max": most}, "type": [{"code": code} for code in types], **other}


def structure(name: str, kind: str, *elements: dict[str, Any], **other: Any) -> dict[str, Any]:
    definition = {
        "resourceType": "StructureDefinition",
        "type": name,
        "kind": kind,
        "fhirVersion": "4.0.1",
        "snapshot": {"element": [{"path": name}, *elements]},
    }
    return {"resource": definition | other}


def write(path: Path, *entries: dict[str, Any]) -> Path:
    path.write_bytes(gzip.compress(json.dumps({"entry": entries}).encode()))
    return path


def test_types_and_backbone_elements_become_one_line_each(tmp_path: Path) -> None:
    text_id = element("Ship.id", "http://hl7.org/fhirpath/System.String")
    text_id["type"][0]["extension"] = [{"url": FHIR_TYPE, "valueUrl": "string"}]
    resources = write(
        tmp_path / "resources.json.gz",
        structure(
            "Ship",
            "resource",
            text_id,
            element("Ship.built[x]", "date", "Period"),
            element("Ship.crew", "BackboneElement", most="*"),
            element("Ship.crew.name", "HumanName", most="*", max="1", min=1),
            element("Ship.flag", "code", min=1),
            element("Ship.crew.mate", most="*", contentReference="#Ship.crew"),
        ),
        structure("Ship", "resource", element("Ship.sail", "string"), derivation="constraint"),
        structure("Later", "resource", element("Later.x", "string"), fhirVersion="4.3.0"),
        {"resource": {"resourceType": "OperationDefinition"}},
    )
    types = write(
        tmp_path / "types.json.gz", structure("HumanName", "complex-type", element("HumanName.text", "string"))
    )
    text = generate([resources, types])
    assert json.loads(text) == {
        "resources": {
            "Ship": {"id": "id", "built[x]": "date|Period", "crew": "Ship.crew*", "flag": "code!"},
            "Ship.crew": {"name": "HumanName*!", "mate": "Ship.crew*"},
        },
        "datatypes": {"HumanName": {"text": "string"}},
    }
    assert len(text.splitlines()) == 7
