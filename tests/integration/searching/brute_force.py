"""FHIR search by looking at every resource (R4 section 3.1.1), knowing nothing of the product's index or tables.

Where R4 leaves something open, this says what the product's pages say: a parameter is missing where there is nothing
to compare with; several values are sorted by the least when ascending and by the greatest when descending; resources
without a value come last; what is equal comes by id, descending.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeAlias

from hub_core.fhir.canonical import Json

Table: TypeAlias = dict[str, tuple[str, tuple[str, ...]]]
BASE = "http://hub/fhir"
BEGINNING, END = datetime(1, 1, 1, tzinfo=UTC), datetime.max.replace(tzinfo=UTC)

_ALL: Table = {"_tag": ("token", ("meta.tag",))}
PARAMETERS: dict[str, Table] = {
    "Patient": _ALL
    | {
        "identifier": ("token", ("identifier",)),
        "name": ("string", ("name.family", "name.given")),
        "family": ("string", ("name.family",)),
        "given": ("string", ("name.given",)),
        "gender": ("token", ("gender",)),
        "birthdate": ("date", ("birthDate",)),
        "telecom": ("token", ("telecom",)),
        "phone": ("token", ("telecom?phone",)),
        "deceased": ("token", ("!deceased",)),
        "general-practitioner": ("reference", ("generalPractitioner",)),
    },
    "Practitioner": _ALL
    | {
        "identifier": ("token", ("identifier",)),
        "name": ("string", ("name.family", "name.given")),
        "family": ("string", ("name.family",)),
        "active": ("token", ("active",)),
    },
    "Encounter": _ALL
    | {
        "status": ("token", ("status",)),
        "class": ("token", ("class",)),
        "type": ("token", ("type",)),
        "date": ("date", ("period",)),
        "subject": ("reference", ("subject",)),
        "patient": ("reference", ("subject@Patient",)),
        "part-of": ("reference", ("partOf",)),
        "participant": ("reference", ("participant.individual",)),
        "practitioner": ("reference", ("participant.individual@Practitioner",)),
    },
    "Observation": _ALL
    | {
        "status": ("token", ("status",)),
        "code": ("token", ("code",)),
        "category": ("token", ("category",)),
        "date": ("date", ("effectiveDateTime", "effectivePeriod")),
        "subject": ("reference", ("subject",)),
        "patient": ("reference", ("subject@Patient",)),
        "encounter": ("reference", ("encounter",)),
        "performer": ("reference", ("performer",)),
        "derived-from": ("reference", ("derivedFrom",)),
        "value-quantity": ("quantity", ("valueQuantity",)),
        "value-concept": ("token", ("valueCodeableConcept",)),
        "value-string": ("string", ("valueString", "valueCodeableConcept.text")),
        "component-code": ("token", ("component.code",)),
        "component-value-quantity": ("quantity", ("component.valueQuantity",)),
        "combo-code": ("token", ("code", "component.code")),
        "combo-value-quantity": ("quantity", ("valueQuantity", "component.valueQuantity")),
    },
    "RiskAssessment": _ALL
    | {
        "probability": ("number", ("prediction.probabilityDecimal",)),
        "subject": ("reference", ("subject",)),
        "patient": ("reference", ("subject@Patient",)),
    },
    "ValueSet": _ALL | {"url": ("uri", ("url",))},
    "QuestionnaireResponse": _ALL
    | {"questionnaire": ("canonical", ("questionnaire",)), "subject": ("reference", ("subject",))},
}
COMPOSITES: dict[str, tuple[tuple[str, str], tuple[tuple[str, str], ...]]] = {
    # Parameter of an Observation: kinds of the parts, and the nodes with the elements of the parts.
    "code-value-quantity": (("token", "quantity"), (("", "code valueQuantity"),)),
    "component-code-value-quantity": (("token", "quantity"), (("component", "code valueQuantity"),)),
    "combo-code-value-quantity": (
        ("token", "quantity"),
        (("", "code valueQuantity"), ("component", "code valueQuantity")),
    ),
    "component-code-value-concept": (("token", "token"), (("component", "code valueCodeableConcept"),)),
}
TARGETS = {
    "general-practitioner": ("Practitioner",),
    "subject": ("Patient",),
    "patient": ("Patient",),
    "encounter": ("Encounter",),
    "performer": ("Patient", "Practitioner"),
    "derived-from": ("Observation",),
    "part-of": ("Encounter",),
    "participant": ("Practitioner",),
    "practitioner": ("Practitioner",),
}


class World:
    """All resources there are, and what a search finds among them."""

    def __init__(self, resources: list[Json]) -> None:
        self.resources = resources
        self.by_key = {f"{each['resourceType']}/{each['id']}": each for each in resources}

    def found(self, kind: str, asked: list[tuple[str, str]], sort: str = "") -> list[str]:
        """Return the ids of matches, in order."""
        found = [
            each
            for each in self.resources
            if each["resourceType"] == kind and all(self.fits(each, name, value) for name, value in asked)
        ]
        found.sort(key=lambda each: str(each["id"]), reverse=True)
        for key in reversed([key for key in sort.split(",") if key]):
            found = _sorted(found, key.removeprefix("-"), descending=key.startswith("-"))
        return [each["id"] for each in found]

    def included(self, ids: set[str], include: str, *, is_reverse: bool) -> set[str]:
        """Return `Type/id` of what an include brings beside matches, themselves left out."""
        kind, param, *rest = include.split(":")
        matches = {key for key in self.by_key if key.split("/")[1] in ids}
        if is_reverse:
            found = {
                key
                for key, each in self.by_key.items()
                if each["resourceType"] == kind and any(ref in matches for ref in self.references(each, param))
            }
        else:
            sources = [self.by_key[key] for key in matches if key.startswith(f"{kind}/")]
            found = {ref for each in sources for ref in self.references(each, param) if ref in self.by_key}
            found = {ref for ref in found if not rest or ref.startswith(f"{rest[0]}/")}
        return found - matches

    def references(self, resource: Json, param: str) -> list[str]:
        """Return what a parameter of a resource refers to, as it is written."""
        kind, paths = PARAMETERS[resource["resourceType"]][param]
        assert kind == "reference"
        return [each["reference"] for each in _values(resource, paths) if "reference" in each]

    def fits(self, resource: Json, name: str, value: str) -> bool:
        """Return whether a resource fits one parameter."""
        if name.startswith("_has:"):
            _, kind, param, rest = name.split(":", 3)
            key = f"{resource['resourceType']}/{resource['id']}"
            return any(
                each["resourceType"] == kind and key in self.references(each, param) and self.fits(each, rest, value)
                for each in self.resources
            )
        head, dot, rest = name.partition(".")
        param, _, modifier = head.partition(":")
        if dot:
            kinds = (modifier,) if modifier else TARGETS[param]
            targets = [self.by_key[ref] for ref in self.references(resource, param) if ref in self.by_key]
            return any(
                _knows(each, rest) and self.fits(each, rest, value) for each in targets if each["resourceType"] in kinds
            )
        alternatives = re.split(r"(?<!\\),", value)
        if param == "_id":
            return (resource["id"] in alternatives) != (modifier == "not")
        if param in COMPOSITES:
            return any(_together(resource, param, each) for each in alternatives)
        kind, paths = PARAMETERS[resource["resourceType"]][param]
        values = _values(resource, paths)
        if modifier == "missing":
            present = any(_is_something(kind, each) for each in values)
            return present != (value == "true")
        hit = any(_COMPARE[kind](each, modifier, one) for each in values for one in alternatives)
        return hit != (modifier == "not")


def _knows(resource: Json, name: str) -> bool:
    first = name.split(".")[0].split(":")[0]
    kind = resource["resourceType"]
    return first in ("_has", "_id") or first in PARAMETERS[kind] or (kind == "Observation" and first in COMPOSITES)


def _together(resource: Json, param: str, value: str) -> bool:
    kinds, groups = COMPOSITES[param]
    asked = re.split(r"(?<!\\)\$", value)
    for within, names in groups:
        for node in _values(resource, (within,)) if within else [resource]:
            if all(
                any(_COMPARE[kind](each, "", one) for each in _values(node, (name,)))
                for kind, name, one in zip(kinds, names.split(), asked, strict=True)
            ):
                return True
    return False


def _values(resource: Json, paths: tuple[str, ...]) -> list[Any]:
    return [value for path in paths for value in _reach(resource, path)]


def _reach(resource: Json, path: str) -> Iterator[Any]:
    if path == "!deceased":
        yield resource.get("deceasedBoolean", False) is True or "deceasedDateTime" in resource
        return
    path, _, target = path.partition("@")
    path, _, system = path.partition("?")
    level: list[Any] = [resource]
    for name in path.split("."):
        found = [node[name] for node in level if isinstance(node, dict) and name in node]
        level = [value for each in found for value in (each if isinstance(each, list) else [each])]
    for value in level:
        # What is only known by an identifier may be anything.
        if (not target or value.get("reference", f"{target}/").startswith(f"{target}/")) and (
            not system or value.get("system") == system
        ):
            yield value


def _is_something(kind: str, value: Any) -> bool:
    if kind == "token" and isinstance(value, dict) and "coding" in value:
        return bool(value["coding"]) or "text" in value
    return not (kind == "reference" and "reference" not in value and "identifier" not in value)


def plain(text: str) -> str:
    """Return a text without case, accents and doubled spaces."""
    bare = unicodedata.normalize("NFKD", text)
    return " ".join("".join(letter for letter in bare if not unicodedata.combining(letter)).casefold().split())


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


def _string(value: str, modifier: str, asked: str) -> bool:
    asked = _unescaped(asked)
    if modifier == "exact":
        return value == asked
    return plain(asked) in plain(value) if modifier == "contains" else plain(value).startswith(plain(asked))


def _codings(value: Any) -> list[tuple[str | None, str | None]]:
    if isinstance(value, bool):
        return [(None, "true" if value else "false")]
    if isinstance(value, str):
        return [(None, value)]
    if "coding" in value or "text" in value:
        return [(each.get("system"), each.get("code")) for each in value.get("coding", [])]
    return [(value.get("system"), value.get("code", value.get("value")))]


def _token(value: Any, modifier: str, asked: str) -> bool:
    if modifier == "text":
        texts = [value.get("text"), value.get("display"), *(each.get("display") for each in value.get("coding", []))]
        return any(text is not None and plain(text).startswith(plain(_unescaped(asked))) for text in texts)
    parts = [_unescaped(part) for part in re.split(r"(?<!\\)\|", asked)]
    if modifier == "of-type":
        kinds = value.get("type", {}).get("coding", [])
        return value["value"] == parts[2] and any((k["system"], k["code"]) == (parts[0], parts[1]) for k in kinds)
    for system, code in _codings(value):
        if len(parts) == 1 and code == parts[0]:
            return True
        if len(parts) == 2 and (system or "") == parts[0] and parts[1] in ("", code):
            return True
    return False


def _span(text: str) -> tuple[datetime, datetime]:
    if "T" in text:
        start = datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)
        return start, start + (timedelta(milliseconds=1) if "." in text else timedelta(seconds=1))
    year, month, day = [*(int(part) for part in text.split("-")), 1, 1][:3]
    start = datetime(year, month, day, tzinfo=UTC)
    if text.count("-") == 2:
        return start, start + timedelta(days=1)
    if text.count("-") == 1:
        return start, datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)
    return start, datetime(year + 1, 1, 1, tzinfo=UTC)


def _held(value: Any) -> tuple[datetime, datetime]:
    if isinstance(value, str):
        return _span(value)
    start = _span(value["start"]) if "start" in value else (BEGINNING, BEGINNING)
    end = _span(value["end"]) if "end" in value else (END, END)
    return start[0], max(start[1], end[1])


def _date(value: Any, modifier: str, asked: str) -> bool:
    assert not modifier
    prefix, text = (asked[:2], asked[2:]) if asked[:2].isalpha() else ("eq", asked)
    (start, end), (low, high) = _held(value), _span(text)
    if prefix == "ap":
        moment = datetime.now(UTC)
        gap = max(low - moment, moment - high, timedelta()) / 10
        return start < high + gap and end > low - gap
    inside = low <= start and end <= high
    return {
        "eq": inside, "ne": not inside, "gt": end > high, "lt": start < low, "ge": end > high or inside,
        "le": start < low or inside, "sa": start >= high, "eb": end <= low,
    }[prefix]  # fmt: skip


def _compared(least: Decimal, greatest: Decimal, asked: str) -> bool:
    prefix, text = (asked[:2], asked[2:]) if asked[:2].isalpha() else ("eq", asked)
    number = Decimal(text)
    exponent = number.as_tuple().exponent
    assert isinstance(exponent, int)
    half = Decimal(1).scaleb(exponent) / 2
    inside = number - half <= least and greatest < number + half
    about = abs(number) / 10
    return {
        "eq": inside, "ne": not inside, "gt": greatest > number, "lt": least < number, "ge": greatest >= number,
        "le": least <= number, "sa": least > number, "eb": greatest < number,
        "ap": least <= number + about and greatest >= number - about,
    }[prefix]  # fmt: skip


def _bounds(value: Json) -> tuple[Decimal, Decimal]:
    number = Decimal(str(value["value"]))
    comparator = value.get("comparator", "")
    return (
        Decimal("-Infinity") if comparator.startswith("<") else number,
        Decimal("Infinity") if comparator.startswith(">") else number,
    )


def _quantity(value: Json, modifier: str, asked: str) -> bool:
    assert not modifier
    digits, *unit = asked.split("|")
    if unit and unit[0] and (value.get("system"), value.get("code")) != (unit[0], unit[1]):
        return False
    if unit and not unit[0] and unit[1] not in (value.get("code"), value.get("unit")):
        return False
    return _compared(*_bounds(value), digits)


def _number(value: Any, modifier: str, asked: str) -> bool:
    assert not modifier
    return _compared(Decimal(str(value)), Decimal(str(value)), asked)


def _reference(value: Json, modifier: str, asked: str) -> bool:
    if modifier == "identifier":
        return "identifier" in value and _token(value["identifier"], "", asked)
    written = value.get("reference", "")
    asked = asked.removeprefix(f"{BASE}/")
    if "/" in asked:
        return bool(written == asked)
    kind, _, found = written.partition("/")
    return found == asked and modifier in ("", kind)


def _canonical(value: str, modifier: str, asked: str) -> bool:
    assert not modifier
    return asked in (value, value.partition("|")[0])


def _uri(value: str, modifier: str, asked: str) -> bool:
    if modifier == "below":
        return value == asked or value.startswith(asked.rstrip("/") + "/")
    if modifier == "above":
        return value == asked or asked.startswith(value.rstrip("/") + "/")
    return value == asked


_COMPARE: dict[str, Callable[[Any, str, str], bool]] = {
    "string": _string,
    "token": _token,
    "date": _date,
    "quantity": _quantity,
    "number": _number,
    "reference": _reference,
    "canonical": _canonical,
    "uri": _uri,
}


def _sorted(resources: list[Json], param: str, *, descending: bool) -> list[Json]:
    """Return resources in the order of a key, those that are equal as they were, those without a value last."""

    def keys(each: Json) -> list[Any]:
        if param == "_id":
            return [each["id"]]
        kind, paths = PARAMETERS[each["resourceType"]][param]
        return [key for value in _values(each, paths) for key in _sort_keys(kind, value, descending=descending)]

    known = [(max(found) if descending else min(found), each) for each in resources if (found := keys(each))]
    without = [each for each in resources if not keys(each)]
    ordered = sorted(known, key=lambda pair: pair[0])
    if descending:  # what is equal stays in the order it was
        ordered = sorted(known, key=lambda pair: pair[0], reverse=True)
    return [each for _, each in ordered] + without


def _sort_keys(kind: str, value: Any, *, descending: bool) -> list[Any]:
    if kind == "string":
        return [plain(value)]
    if kind == "token":
        return [code for _, code in _codings(value) if code is not None]
    if kind == "date":
        return [_held(value)[0]]
    if kind == "quantity":
        return [_bounds(value)[1 if descending else 0]]
    return [Decimal(str(value))] if kind == "number" else [value]
