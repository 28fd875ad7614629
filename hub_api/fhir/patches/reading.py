"""Patches as they come, in a request or in an entry of a Bundle, and what reads each form."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Final, TypeAlias

from hub_api.fhir.incoming import hold_fhir
from hub_api.fhir.outcome import FHIR_JSON, OutcomeError
from hub_api.fhir.patches import fhirpath_patch, json_patch
from hub_api.fhir.patches.operations import read_operations
from hub_core.fhir.canonical import Json, dumps, load_object

JSON_PATCH: Final = "application/json-patch+json"
FORMATS: Final = (JSON_PATCH, FHIR_JSON)
"""JSON Patch, and FHIRPath Patch."""

Patch: TypeAlias = Callable[[Json], Json]
"""What makes another resource of one, which it may change in place."""


def read_patch(content_type: str, body: bytes) -> Patch:
    """Return the patch that a body holds.

    Raises:
        OutcomeError: if it holds none, or is of another form.
        UnreadableError: if it is no JSON.
    """
    if content_type.partition(";")[0].strip().lower() == JSON_PATCH:
        changes = json_patch.read_patch(body)
        return lambda resource: json_patch.patched(resource, changes)
    if "xml" in content_type:
        raise OutcomeError(415, f"patches come as {' or '.join(FORMATS)} only")
    hold_fhir(content_type)
    operations = read_operations(load_object(body))
    return lambda resource: fhirpath_patch.patched(resource, operations)


def carried(resource: Json) -> tuple[str, bytes]:
    """Return content type and body of the patch in an entry of a Bundle: a Binary, or the Parameters themselves.

    Raises:
        OutcomeError: if it is neither (R4 http.html, section 3.1.0.11.1).
    """
    if resource.get("resourceType") == "Parameters":
        return FHIR_JSON, dumps(resource)
    kind, data = resource.get("contentType"), resource.get("data")
    if resource.get("resourceType") != "Binary" or not isinstance(kind, str) or not isinstance(data, str):
        text = "a patch in a Bundle is a Binary with contentType and data, or a Parameters"
        raise OutcomeError(400, text, code="structure", expression=str(resource.get("resourceType", "")))
    try:
        return kind, base64.b64decode(data, validate=True)
    except binascii.Error as error:
        raise OutcomeError(400, "these data are not base64", code="value", expression="Binary.data") from error
