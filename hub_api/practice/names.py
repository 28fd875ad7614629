"""Names of people and things as a reader expects them, from FHIR data types of any completeness."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from hub_core.fhir.canonical import Json, Lexeme

_CENT: Final = Decimal("0.01")


def display_name(resource: Json) -> str:
    """Return a person's or organisation's name in one line; never empty."""
    names = resource.get("name")
    if isinstance(names, str):
        return names
    listed = [name for name in names or [] if isinstance(name, dict)]
    best = next((name for name in listed if name.get("use") in ("official", "usual")), listed[0] if listed else {})
    parts = [*map(str, best.get("given", [])), str(best.get("family", ""))]
    return " ".join(part for part in parts if part) or str(best.get("text", "")) or "(no name)"


def concept(value: Any) -> str:
    """Return a CodeableConcept, a Coding, or a list of them, in words; the code where there are none."""
    if isinstance(value, list):
        return ", ".join(words for each in value if (words := concept(each)))
    if not isinstance(value, dict):
        return ""
    if text := value.get("text"):
        return str(text)
    codings = value.get("coding", [value])
    worded = next((coding["display"] for coding in codings if isinstance(coding, dict) and coding.get("display")), None)
    return str(worded or next((coding.get("code", "") for coding in codings if isinstance(coding, dict)), ""))


def quantity(value: Any) -> str:
    """Return a Quantity as it was written, digits and all."""
    if not isinstance(value, dict) or "value" not in value:
        return ""
    unit = value.get("unit") or value.get("code") or ""
    return f"{value.get('comparator', '')}{number(value['value'])} {unit}".rstrip()


def money(value: Any) -> str:
    """Return a Money in cents, as a statement shows it."""
    if not isinstance(value, dict) or "value" not in value:
        return ""
    amount = Decimal(number(value["value"])).quantize(_CENT, ROUND_HALF_UP)
    return f"{amount:,} {value.get('currency', '')}".rstrip()


def number(value: Any) -> str:
    """Return a number with the digits it came with."""
    if isinstance(value, Lexeme):
        return value.text
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def reference(value: Any) -> str:
    """Return what a Reference says about its target in words; nothing where it only points."""
    if isinstance(value, list):
        return ", ".join(words for each in value if (words := reference(each)))
    if not isinstance(value, dict):
        return ""
    return str(value.get("display") or value.get("identifier", {}).get("value") or "")


def joined(*parts: str) -> str:
    """Return the parts that say something, one after the other."""
    return " · ".join(part for part in parts if part)
