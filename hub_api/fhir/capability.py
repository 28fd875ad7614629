"""What this server can do, told from the tables it works by (R4 CapabilityStatement)."""

from __future__ import annotations

from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from hub_api.fhir.exchange import base_of, fhir_response, require_json
from hub_api.fhir.parameters import Kind, parameters_of
from hub_api.services import services_of
from hub_core.clock import now
from hub_core.fhir.canonical import Json, dumps
from hub_core.fhir.registry import RESOURCE_TYPES

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

_INTERACTIONS = ("read", "vread", "history-instance", "search-type")
_ABSENT = ("Bundle", "OperationOutcome", "Parameters")
"""Types that travel but are never kept as resources of their own."""
_NOTES: dict[Kind, str] = {
    "string": "begins with; :contains and :exact too, all without regard to case and accents",
    "token": "code, system|code, |code or system|",
    "date": "after eq, ne, gt, lt, ge, le, sa or eb; what names no zone is UTC",
    "reference": "id or Type/id",
}


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
            "rest": [
                {
                    "mode": "server",
                    "security": {
                        "cors": False,
                        "description": "A bearer token in Authorization, or the session cookie of a person logged in.",
                    },
                    "resource": _resources(),
                }
            ],
        }
    )


def _resource(name: str) -> Json:
    resource: Json = {
        "type": name,
        "interaction": [{"code": code} for code in _INTERACTIONS],
        "versioning": "versioned",
        "readHistory": True,
        "updateCreate": False,
        "searchParam": [
            {"name": "_id", "type": "token"},
            {"name": "_lastUpdated", "type": "date", "documentation": _NOTES["date"]},
            *(
                {"name": param, "type": kind, "documentation": _NOTES[kind]}
                for param, kind in parameters_of(name).items()
            ),
        ],
    }
    if name == "Patient":
        resource["operation"] = [
            {"name": "everything", "definition": "http://hl7.org/fhir/OperationDefinition/Patient-everything"}
        ]
    return resource


def _version() -> str:
    try:
        return version("wholechart")
    except PackageNotFoundError:  # run from a checkout that is not installed
        return "0"
