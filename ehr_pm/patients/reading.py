"""What a Patient of another source says, as columns of rows. Pure: no database, no clock."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from hub_core.fhir.canonical import Json
from hub_core.fhir.systems import US_CORE_BIRTH_SEX, US_CORE_ETHNICITY, US_CORE_RACE

_KINDS: Final = frozenset({"MR", "PI", "DL", "MB", "MC"})
_GENDERS: Final = frozenset({"female", "male", "other", "unknown"})
_RACES: Final = frozenset({"1002-5", "2028-9", "2054-5", "2076-8", "2106-3"})
_ETHNICITIES: Final = frozenset({"2135-2", "2186-5"})
_SEXES: Final = frozenset({"F", "M", "UNK"})
_ADDRESS_USES: Final = {"billing": "billing", "old": "old"}
_NAME_USES: Final = ("official", "usual", "", "temp", "nickname", "anonymous", "maiden", "old")
_STATE: Final = re.compile(r"[A-Z]{2}\Z")
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(?:-[A-Z]{2})?\Z")


@dataclass(frozen=True, slots=True)
class Heard:
    """Who somebody is, as another source says."""

    person: dict[str, Any]
    """Columns of the patient's row."""
    numbers: tuple[dict[str, Any], ...]
    addresses: tuple[dict[str, Any], ...]
    contacts: tuple[dict[str, Any], ...]


def read(resource: Json) -> Heard | None:
    """Return what a Patient says; None when it does not say enough for a row: a whole name and a whole birth date."""
    name, born = _name(resource), _day(resource.get("birthDate"))
    if name is None or born is None:
        return None
    died = _day(resource.get("deceasedDateTime"))
    gender = resource.get("gender")
    race = [code for code in _codes(resource, US_CORE_RACE) if code in _RACES]
    ethnicity = next((code for code in _codes(resource, US_CORE_ETHNICITY) if code in _ETHNICITIES), None)
    person = {
        **name,
        "birth_date": born,
        "birth_sex": _birth_sex(resource),
        "gender": gender if gender in _GENDERS else "unknown",
        "races": sorted(set(race)),
        "ethnicity": ethnicity,
        "language": _language(resource) or "en",
        "deceased_on": died if died is not None and died >= born else None,
    }
    return Heard(person, tuple(_numbers(resource)), tuple(_addresses(resource, born)), tuple(_contacts(resource)))


def _name(resource: Json) -> dict[str, Any] | None:
    """Return the names of the name that counts most, of those that are whole."""
    whole = [each for each in _listed(resource, "name") if each.get("family") and _texts(each, "given")]
    if not whole:
        return None
    best = min(whole, key=lambda each: _rank(each.get("use", "")))
    given = _texts(best, "given")
    usual = next((each for each in whole if each.get("use") in ("usual", "nickname") and each is not best), None)
    return {
        "family": str(best["family"]),
        "given": given[0],
        "middle": " ".join(given[1:]) or None,
        "suffix": " ".join(_texts(best, "suffix")) or None,
        "preferred_name": _texts(usual, "given")[0] if usual else None,
    }


def _rank(use: str) -> int:
    return _NAME_USES.index(use) if use in _NAME_USES else len(_NAME_USES)


def _numbers(resource: Json) -> Iterator[dict[str, Any]]:
    """Yield the numbers under which the patient is known, each once."""
    seen: set[tuple[str, str]] = set()
    for each in _listed(resource, "identifier"):
        system, value = each.get("system"), each.get("value")
        codes = [coding.get("code") for coding in _listed(each.get("type") or {}, "coding")]
        kind = next((code for code in codes if code in _KINDS), None if codes else "PI")
        if system and value and kind and each.get("use") != "old" and (system, value) not in seen:
            seen.add((system, value))
            yield {"system": system, "value": value, "kind": kind}


def _addresses(resource: Json, born: date) -> Iterator[dict[str, Any]]:
    """Yield the addresses that are whole; since when is taken to be from birth where it is not said."""
    for each in _listed(resource, "address"):
        line = ", ".join(_texts(each, "line"))
        city, state, postal_code = each.get("city"), each.get("state"), each.get("postalCode")
        if not (line and city and postal_code and isinstance(state, str) and _STATE.match(state)):
            continue
        period = each.get("period") or {}
        yield {
            "use": _ADDRESS_USES.get(each.get("use", ""), "home"),
            "line": line,
            "city": city,
            "state": state,
            "postal_code": postal_code,
            "valid_from": _day(period.get("start")) or born,
            "valid_to": _day(period.get("end")),
        }


def _contacts(resource: Json) -> Iterator[dict[str, Any]]:
    """Yield how the patient is reached, each way once; leave to send texts is given here only."""
    seen: set[tuple[str, str]] = set()
    for each in _listed(resource, "telecom"):
        value, system, use = each.get("value"), each.get("system"), each.get("use")
        if not value or use == "old" or system not in ("phone", "sms", "email"):
            continue
        kind = "email" if system == "email" else use if use in ("mobile", "work") else "home"
        if (kind, value) not in seen:
            seen.add((kind, value))
            yield {"kind": kind, "value": value}


def _codes(resource: Json, url: str) -> list[str]:
    """Return the codes of an extension of US Core that is made of parts."""
    found = [each for each in _listed(resource, "extension") if each.get("url") == url]
    parts = [part for each in found for part in _listed(each, "extension")]
    return [coding["code"] for part in parts if (coding := part.get("valueCoding") or {}).get("code")]


def _birth_sex(resource: Json) -> str | None:
    found = (each.get("valueCode") for each in _listed(resource, "extension") if each.get("url") == US_CORE_BIRTH_SEX)
    return next((code for code in found if code in _SEXES), None)


def _language(resource: Json) -> str | None:
    for each in _listed(resource, "communication"):
        for coding in _listed(each.get("language") or {}, "coding"):
            if _LANGUAGE.match(str(coding.get("code"))):
                return str(coding["code"])
    return None


def _day(text: object) -> date | None:
    """Return the day of a FHIR date or instant; None where it is not whole."""
    try:
        return date.fromisoformat(str(text)[:10])
    except ValueError:
        return None


def _listed(node: Json, name: str) -> list[Json]:
    found = node.get(name)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _texts(node: Json, name: str) -> list[str]:
    found = node.get(name)
    return [each for each in found if isinstance(each, str) and each] if isinstance(found, list) else []
