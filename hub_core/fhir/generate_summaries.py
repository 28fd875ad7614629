"""Writes `summaries.json` from the FHIR R4 definitions: run by hand when the specification is replaced.

python -m hub_core.fhir.generate_summaries profiles-resources.json.gz
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from hub_core.fhir.generate_elements import definitions

TARGET = Path(__file__).with_name("summaries.json")


def generate(paths: list[Path]) -> bytes:
    """Return the text of `summaries.json`: of each resource type what a summary shows and what may not be missing."""
    types = sorted((each for path in paths for each in definitions(path)), key=lambda each: str(each["type"]))
    lines = [
        f"{json.dumps(each['type'])}:{json.dumps(_said(each), separators=(',', ':'))}"
        for each in types
        if each["kind"] == "resource" and not each["abstract"]
    ]
    return ("{" + ",\n".join(lines) + "}\n").encode()


def _said(definition: dict[str, Any]) -> dict[str, list[str]]:
    tops = [each for each in definition["snapshot"]["element"] if each["path"].count(".") == 1]
    return {
        "summary": [_name(each) for each in tops if each.get("isSummary")],
        "mandatory": [_name(each) for each in tops if each["min"]],
    }


def _name(element: dict[str, Any]) -> str:
    return str(element["path"].partition(".")[2]).removesuffix("[x]")


if __name__ == "__main__":
    TARGET.write_bytes(generate([Path(argument) for argument in sys.argv[1:]]))
