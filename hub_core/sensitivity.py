"""How sensitive a record is: the security labels that say so, and which of several kinds is the strictest.

Labels are FHIR's (R4 section 6.1): codes in `meta.security`, which travel with the resource wherever it goes. What a
kind means for who may see a record is said in `hub_core.access`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal, TypeAlias, cast, get_args

from hub_core.fhir.canonical import Json

Kind: TypeAlias = Literal["psychotherapy", "42cfr2", "restricted", "minor"]
"""Psychotherapy notes; records of a substance use programme; restricted for another reason; a minor's own care."""

KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
"""The strictest first: whoever may see one may see those behind it, of the same patient."""

ACT_CODE: Final = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
CONFIDENTIALITY: Final = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
_OF_V2: Final = "http://terminology.hl7.org/CodeSystem/v2-0177"

_LABELS: Final[Mapping[Kind, tuple[str, str, str]]] = {
    "psychotherapy": (ACT_CODE, "PSYTHPN", "psychotherapy note information sensitivity"),
    "42cfr2": (ACT_CODE, "42CFRPart2", "42 CFR Part2"),
    "restricted": (CONFIDENTIALITY, "R", "restricted"),
    "minor": (ACT_CODE, "ADOL", "adolescent information sensitivity"),
}
TAGGED_HERE: Final = "https://wholechart.example/fhir/StructureDefinition/tagged-here"
"""Extension of a label that was put on here, by a person or because of where the record belongs, not by its source."""

_SENSITIVE_CODES: Final = "DVD ETH ETHUD HIV MH MST OPIOIDUD PSY SDV SEX STD SUD SUDUD TBOO VIO"
"""ActCodes of information that is sensitive without being under 42 CFR Part 2 or 45 CFR 164.508(a)(2) by that alone."""
_KINDS_OF_LABELS: Final[Mapping[tuple[str, str], Kind]] = {
    **{(system, code): kind for kind, (system, code, _) in _LABELS.items()},
    (CONFIDENTIALITY, "V"): "restricted",
    **{(ACT_CODE, code): "restricted" for code in _SENSITIVE_CODES.split()},
    **{(_OF_V2, code): "restricted" for code in ("V", "R", "PSY", "AID", "HIV", "ETH")},
}


def strictest(*kinds: str | None) -> str | None:
    """Return the strictest of some kinds; None where nothing is sensitive."""
    named = [kind for kind in kinds if kind is not None]
    return min(named, key=_strictness) if named else None


def kind_of(resource: Json) -> str | None:
    """Return how sensitive a resource is by its labels; None where they say nothing of the sort."""
    if not (found := labels(resource)):
        return None
    named = ((str(each.get("system")), str(each.get("code"))) for each in found)
    return strictest(*map(_KINDS_OF_LABELS.get, named))


def labelled(resource: Json, kind: str, *, is_ours: bool = False) -> Json:
    """Return a resource with the label of a kind, beside those it has.

    Args:
        resource: the resource; it is left as it is.
        kind: the kind.
        is_ours: whether it was decided here, not by the source; such a label can be taken off again.
    """
    system, code, display = _LABELS[cast(Kind, kind)]
    label: Json = {"system": system, "code": code, "display": display}
    if is_ours:
        label["extension"] = [{"url": TAGGED_HERE, "valueBoolean": True}]
    return _with_labels(resource, [*labels(resource), label])


def bare(resource: Json) -> Json:
    """Return a resource without the labels that were put on it here; the same object where it has none."""
    if not (before := labels(resource)):
        return resource
    kept = [each for each in before if not _is_ours(each)]
    return resource if len(kept) == len(before) else _with_labels(resource, kept)


def labels(resource: Json) -> list[dict[str, Any]]:
    """Return the security labels of a resource; none where they are not shaped as R4 has them."""
    meta = resource.get("meta")
    listed = meta.get("security") if isinstance(meta, dict) else None
    return [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []


def _is_ours(label: Json) -> bool:
    said = label.get("extension")
    return isinstance(said, list) and any(isinstance(each, dict) and each.get("url") == TAGGED_HERE for each in said)


def _with_labels(resource: Json, wanted: list[dict[str, Any]]) -> Json:
    before = resource.get("meta")
    meta = {key: value for key, value in before.items() if key != "security"} if isinstance(before, dict) else {}
    if wanted:
        meta["security"] = wanted
    rest = {key: value for key, value in resource.items() if key != "meta"}
    return {**rest, "meta": meta} if meta else rest


def _strictness(kind: str) -> int:
    return KINDS.index(cast(Kind, kind)) if kind in KINDS else len(KINDS)
