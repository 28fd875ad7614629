"""What every FHIR resource must be before it can be kept (R4 sections 2.6.2 and 2.27.3), told without its values.

What makes a resource unusable raises; what FHIR forbids but people can live with is found and named. Whether elements
are the right ones for the type is for `validation`, which costs more than a hot path can pay.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

from connectors.connector import Issue
from hub_core.errors import UnreadableError
from hub_core.fhir import canonical
from hub_core.fhir.canonical import Json
from hub_core.fhir.registry import RESOURCE_TYPES

_ID = re.compile(r"[A-Za-z0-9.-]{1,64}")
_LONGEST_ID: Final = 255
_MOST_WARNINGS: Final = 20
"""Empty values told per resource: the first ones show a sender what is wrong."""

OTHER_RELEASES: Final = {
    **dict.fromkeys(
        ("BodySite", "DataElement", "DeviceComponent", "EligibilityRequest", "EligibilityResponse", "ExpansionProfile",
         "ImagingManifest", "ProcedureRequest", "ProcessRequest", "ProcessResponse", "ReferralRequest", "Sequence",
         "ServiceDefinition"),
        "FHIR STU3",
    ),
    **dict.fromkeys(("Conformance", "DiagnosticOrder", "MedicationOrder", "Order", "OrderResponse"), "FHIR DSTU2"),
    **dict.fromkeys(
        ("AdministrableProductDefinition", "Citation", "ClinicalUseDefinition", "EvidenceReport", "Ingredient",
         "ManufacturedItemDefinition", "MedicinalProductDefinition", "NutritionProduct", "PackagedProductDefinition",
         "RegulatedAuthorization", "SubscriptionStatus", "SubscriptionTopic", "SubstanceDefinition"),
        "FHIR R4B",
    ),
    **dict.fromkeys(
        ("ActorDefinition", "ArtifactAssessment", "BiologicallyDerivedProductDispense", "ConditionDefinition",
         "DeviceAssociation", "DeviceDispense", "DeviceUsage", "EncounterHistory", "FormularyItem", "GenomicStudy",
         "ImagingSelection", "InventoryItem", "InventoryReport", "MedicationUsage", "NutritionIntake", "Permission",
         "RequestOrchestration", "Requirements", "TestPlan", "Transport"),
        "FHIR R5",
    ),
}  # fmt: skip
"""Types R4 does not have, and the release that has them: senders deserve to be told which one they speak."""


def load(text: bytes) -> Json:
    """Return the JSON object of a record.

    Raises:
        UnreadableError: if it is none.
    """
    if not text.lstrip().startswith(b"{"):
        raise UnreadableError("a JSON object was expected", code="invalid")
    return canonical.load_object(text)


def kind(record: Json) -> str:
    """Return what to call a record: the type it says it has, if any release of FHIR has that."""
    name = record.get("resourceType")
    return name if isinstance(name, str) and (name in RESOURCE_TYPES or name in OTHER_RELEASES) else "unknown"


def resource_type(value: Any, location: str = "") -> str:
    """Return the type of a resource.

    Raises:
        UnreadableError: if it is no object, names no type, or one that R4 does not have.
    """
    if not isinstance(value, dict):
        raise UnreadableError("a resource must be a JSON object", location=location)
    name = value.get("resourceType")
    if not isinstance(name, str):
        raise UnreadableError("there is no resourceType", location=location, code="required")
    if name in RESOURCE_TYPES:
        return name
    if release := OTHER_RELEASES.get(name):
        raise UnreadableError(f"{name} belongs to {release}; R4 is read", location=location, code="not-supported")
    shown = f"{name} is" if re.fullmatch("[A-Za-z]{1,60}", name) else "the resourceType is"
    raise UnreadableError(f"{shown} not a resource type of FHIR R4", location=location, code="not-supported")


_EMPTIES = (b"null", b"[]", b"{}", b'""', b"[ ]", b"{ }")
_SPACED_EMPTY = re.compile(rb"[\[{]\s+[\]}]")
_EMPTY: Final[tuple[Any, ...]] = (None, "", [], {})


class Inspector:
    """Looks at the resources of one text; what its bytes cannot hold is not looked for in its values."""

    def __init__(self, text: bytes) -> None:
        self._may_hold_nul = b"\\u0000" in text
        self._may_hold_empties = any(map(text.__contains__, _EMPTIES)) or (
            b"\n" in text and _SPACED_EMPTY.search(text) is not None
        )

    def inspect(self, resource: Json, location: str) -> list[Issue]:
        """Return what FHIR forbids in a resource that is kept all the same.

        Raises:
            UnreadableError: if it is not of a kind that can be kept.
        """
        if self._may_hold_nul and _holds_nul(resource):
            # FHIR forbids it (R4 section 2.24.0.1, string), and no database keeps it.
            raise UnreadableError("a text holds the character U+0000", location=location, code="value")
        found = list(_check_envelope(resource, location))
        if self._may_hold_empties:
            found.extend(islice(find_empties(resource, location), _MOST_WARNINGS))
        return found


def find_empties(node: Any, location: str) -> Iterator[Issue]:
    """Yield a warning per null, empty string, array or object, all of which FHIR forbids (R4 section 2.6.2)."""
    if isinstance(node, list):
        for number, child in enumerate(node):
            yield from _find_empties(child, f"{location}[{number}]")
        return
    for name, child in node.items():
        is_paired = isinstance(child, list) and _is_paired(node, name)
        said = [each for each in child if each is not None] if is_paired else child
        yield from _find_empties(said, f"{location}.{shown(name)}")


def _find_empties(child: Any, place: str) -> Iterator[Issue]:
    if child in _EMPTY:
        yield Issue("warning", "structure", "null and empty values are not allowed in FHIR", place)
    elif isinstance(child, dict | list):
        yield from find_empties(child, place)


def _check_envelope(resource: Json, location: str) -> Iterator[Issue]:
    resource_id = resource.get("id", "")
    if not isinstance(resource_id, str):
        raise UnreadableError("an id must be a string", location=f"{location}.id", code="value")
    if len(resource_id) > _LONGEST_ID:
        raise UnreadableError(f"an id longer than {_LONGEST_ID} characters", location=f"{location}.id", code="value")
    if "id" in resource and not _ID.fullmatch(resource_id):
        yield Issue("warning", "value", "an id has 1 to 64 letters, digits, dots and hyphens", f"{location}.id")
    if not isinstance(resource.get("meta", {}), dict):
        raise UnreadableError("meta must be an object", location=f"{location}.meta")


def _holds_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any("\0" in name or _holds_nul(child) for name, child in value.items())
    return isinstance(value, list) and any(map(_holds_nul, value))


def _is_paired(owner: Json, name: str) -> bool:
    """Return whether nulls of an array only keep step with its twin: `given` with `_given` (R4 section 2.6.2.3)."""
    return (name[1:] if name.startswith("_") else f"_{name}") in owner


def shown(name: str) -> str:
    """Return a property name as a place, unless it is none FHIR could have: it might say anything."""
    return name if re.fullmatch("_?[A-Za-z][A-Za-z0-9]{0,63}", name) else "?"
