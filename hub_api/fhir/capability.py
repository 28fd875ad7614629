"""What this server can do, told from the tables it works by (R4 CapabilityStatement)."""

from __future__ import annotations

from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from hub_api.fhir.audit_events import PARAMETERS
from hub_api.fhir.exchange import base_of, fhir_response, require_json
from hub_api.fhir.patches.reading import FORMATS
from hub_api.fhir.provenance import PROVENANCE
from hub_api.security.policy import action_to_write, why_not_written
from hub_api.services import services_of
from hub_core.clock import now
from hub_core.fhir.canonical import Json, dumps
from hub_core.fhir.registry import RESOURCE_TYPES
from hub_core.fhir.search_parameters import Kind, SearchParameter, parameters_of

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

_READING = ("read", "vread", "history-instance", "history-type", "search-type")
_WRITING = ("create", "update", "patch", "delete")
_OF_ALL = ("transaction", "batch", "history-system")
_ABSENT = ("Bundle", "OperationOutcome", "Parameters")
"""Types that travel but are never kept as resources of their own."""
_NOTES: dict[Kind, str] = {
    "string": "begins with, without regard to case and accents; :contains likewise; :exact to the letter",
    "token": "code, system|code, |code or system|; :not, :text, and :of-type where it is an identifier",
    "date": "after eq, ne, gt, lt, ge, le, sa, eb or ap; what names no zone is UTC",
    "reference": "id, Type/id or an address; :Type, :identifier; .parameter leads on",
    "quantity": "number, number|system|code or number||unit, after eq, ne, gt, lt, ge, le, sa, eb or ap",
    "number": "after eq, ne, gt, lt, ge, le, sa, eb or ap",
    "uri": ":below and :above by whole segments",
    "composite": "values with $ between them, true of one repetition",
}
_PROVENANCE = (
    "Beside what sources sent there is one of every version of every resource, made of its envelope: found by _id,"
    " target, patient, recorded and _lastUpdated where its version is current, and read at its id"
)
_OF_EVERY_TYPE: tuple[Json, ...] = (
    {"name": "_id", "type": "token"},
    {"name": "_lastUpdated", "type": "date", "documentation": _NOTES["date"]},
)


async def capabilities(request: Request) -> Response:
    """Answer the CapabilityStatement; anyone may read it."""
    require_json(request)
    return fhir_response(_statement(base_of(request, services_of(request).settings)))


@cache
def _resources() -> list[Json]:
    return [_resource(name) for name in RESOURCE_TYPES if name not in _ABSENT]


def _statement(base: str) -> bytes:
    return dumps(
        {
            "resourceType": "CapabilityStatement",
            "status": "active",
            "date": now().date().isoformat(),
            "kind": "instance",
            "software": {"name": "Wholechart", "version": _version()},
            "implementation": {"description": "Wholechart FHIR server", "url": base},
            "fhirVersion": "4.0.1",
            "format": ["application/fhir+json"],
            "patchFormat": list(FORMATS),
            "rest": [
                {
                    "mode": "server",
                    "security": {
                        "cors": False,
                        "description": "A bearer token in Authorization, or the session cookie of a person logged in.",
                    },
                    "resource": _resources(),
                    "interaction": [{"code": code} for code in _OF_ALL],
                }
            ],
        }
    )


def _audit_event() -> Json:
    """Return what can be done with the trail, which no source sends: it has neither versions nor includes."""
    return {
        "type": "AuditEvent",
        "documentation": "The audit trail of this house; never written, changed or deleted by anybody",
        "interaction": [{"code": "read"}, {"code": "search-type"}],
        "versioning": "no-version",
        "searchParam": [{"name": name, "type": kind} for name, kind in PARAMETERS.items()],
    }


def _resource(name: str) -> Json:
    if name == "AuditEvent":
        return _audit_event()
    known = parameters_of(name)
    is_written = action_to_write(name) is not None
    resource: Json = {
        "type": name,
        **({} if is_written else {"documentation": why_not_written(name)}),
        **({"documentation": _PROVENANCE} if name == PROVENANCE else {}),
        "interaction": [{"code": code} for code in (*_READING, *(_WRITING if is_written else ()))],
        "versioning": "versioned",
        "readHistory": True,
        "updateCreate": is_written,
        "conditionalCreate": is_written,
        "conditionalUpdate": is_written,
        "conditionalDelete": "single" if is_written else "not-supported",
        "referencePolicy": ["literal", "logical", "local"],
        "searchInclude": [f"{name}:{each.name}" for each in known.values() if each.kind == "reference"],
        "searchRevInclude": _referring().get(name, []),
        "searchParam": [*_OF_EVERY_TYPE, *map(_parameter, known.values())],
    }
    for member in ("searchInclude", "searchRevInclude"):
        if not resource[member]:
            del resource[member]
    if name == "Patient":
        resource["operation"] = [
            {"name": "everything", "definition": "http://hl7.org/fhir/OperationDefinition/Patient-everything"}
        ]
    return resource


def _parameter(known: SearchParameter) -> Json:
    return {"name": known.name, "type": known.kind, "documentation": f"{_NOTES[known.kind]}; :missing"}


@cache
def _referring() -> dict[str, list[str]]:
    """Return by type the parameters of others that may refer to it, those that may refer to any type included."""
    found: dict[str, list[str]] = {}
    for source in RESOURCE_TYPES:
        for each in parameters_of(source).values():
            if each.kind == "reference" and any(way.type_name == "Reference" for way in each.ways):
                for target in each.targets or RESOURCE_TYPES:
                    found.setdefault(target, []).append(f"{source}:{each.name}")
    return found


def _version() -> str:
    try:
        return version("wholechart")
    except PackageNotFoundError:  # run from a checkout that is not installed
        return "0"
