"""The one list of formats: which connector reads what, each imported when it is first used."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from types import MappingProxyType

from connectors.connector import Connector
from hub_core.errors import ConfigurationError

_PLACES: Mapping[str, str] = MappingProxyType(
    {
        "hl7v2": "connectors.hl7v2.connector:HL7v2Connector",
        "x12": "connectors.x12.connector:X12Connector",
        "fhir": "connectors.fhir.connector:FHIRConnector",
    }
)

FORMATS = tuple(_PLACES)
"""The formats' names, in the order in which unknown bytes are tried."""


@cache
def connector(name: str) -> Connector:
    """Return the connector of a format.

    Raises:
        ConfigurationError: if there is no such format.
    """
    if name not in _PLACES:
        raise ConfigurationError(f"there is no format {name}; the formats are {', '.join(FORMATS)}")
    module, _, factory = _PLACES[name].partition(":")
    made: Connector = getattr(import_module(module), factory)()
    return made


def recognise(head: bytes) -> Connector | None:
    """Return the connector of bytes that begin with `head`, or None when no format knows them."""
    return next((known for known in map(connector, FORMATS) if known.recognises(head)), None)
