"""Coded values (CE, CWE, CNE, IS, ID) to FHIR: the code as sent, its system and display, beside what it maps to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import quote

from connectors.hl7v2.tables import CODE_SYSTEMS, V2, Concept
from connectors.hl7v2.tokenizer import NULL, Composite
from hub_core.fhir.canonical import Json

_TABLE = re.compile(r"HL7\D?(\d{4})\Z")
_OID = re.compile(r"[0-2](?:\.\d+)+\Z")
_LOCAL = re.compile(r"(?:L|99\w*|LOCAL)\Z")


@lru_cache(maxsize=1024)
def named_uri(name: str) -> str:
    """Return the URI we give to a namespace that has only a local name."""
    return f"urn:id:{quote(name, safe='-._~')}"


@lru_cache(maxsize=1024)
def system(name: str, source: str) -> str | None:
    """Return the URI of a coding system by its CWE-3 name; local systems (`L`, `99zzz`) belong to `source`."""
    if not name:
        return None
    upper = name.upper()
    known = CODE_SYSTEMS.get(upper)
    if known:
        return known
    if found := _TABLE.match(upper):
        return f"{V2}{found[1]}"
    if _OID.match(name):
        return f"urn:oid:{name}"
    if name.startswith(("http://", "https://", "urn:")):
        return name
    return named_uri(f"{source}.{name}" if _LOCAL.match(upper) else name)


def coding(code: str, display: str, system_uri: str | None, version: str = "") -> Json:
    """Return a Coding of the parts that are there."""
    result: Json = {}
    if system_uri:
        result["system"] = system_uri
    if version:
        result["version"] = version
    if code:
        result["code"] = code
    if display:
        result["display"] = display
    return result


def concept(
    value: Composite, source: str, *, table: str = "", mapped: Mapping[str, Concept] | None = None
) -> Json | None:
    """Return a CodeableConcept of a coded value.

    Args:
        value: a CE, CWE, CNE, IS or ID.
        source: whose local codes these are.
        table: the HL7 table of the field, for codes that name no system.
        mapped: FHIR's concepts for the codes of that table; one found comes first among the codings.
    """
    if value.raw in ("", NULL):
        return None
    count = len(value.parts)
    codings: list[Json] = []
    for number, version_number in ((1, 7), (4, 8), (10, 13)):
        if number > count:
            break
        code = value[number]
        if not code:
            continue
        uri = system(value[number + 2], source)
        if number == 1:
            if uri is None and table:
                uri = f"{V2}{table}"
            if mapped and (known := mapped.get(code.upper())):
                codings.append(coding(known[1], known[2], known[0]))
        version = value[version_number] if count >= version_number else ""
        each = coding(code, value.whole(number + 1), uri, version)
        if each not in codings:
            codings.append(each)
    text = (count > 8 and value.whole(9)) or value.whole(2) or value.whole(5) or value[1]
    result: Json = {}
    if codings:
        result["coding"] = codings
    if text:
        result["text"] = text
    return result or None


def concept_of(*codes: Concept, text: str = "") -> Json:
    """Return a CodeableConcept of known concepts."""
    result: Json = {"coding": [coding(code, display, uri) for uri, code, display in codes]}
    if text:
        result["text"] = text
    return result
