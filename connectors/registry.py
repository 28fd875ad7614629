"""The formats Wholechart reads; a new format adds one line to `_CONNECTORS`.

Connectors are imported when first asked for: a command that reads FHIR does not pay for HL7 v2, nor the reverse.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from typing import Final, cast

from connectors.connector import Connector
from hub_core.errors import ConfigurationError

_CONNECTORS: Final = {
    "hl7v2": "connectors.hl7v2.connector:HL7v2Connector",
    "x12": "connectors.x12.connector:X12Connector",
    "fhir": "connectors.fhir.connector:FHIRConnector",
}
"""Format -> where its connector is; in the order in which they are asked whether they recognise a file."""


class _Connectors(Mapping[str, Connector]):
    """The connectors by format, each imported when it is looked up."""

    def __getitem__(self, name: str) -> Connector:
        return _load(_CONNECTORS[name])

    def __iter__(self) -> Iterator[str]:
        return iter(_CONNECTORS)

    def __len__(self) -> int:
        return len(_CONNECTORS)


CONNECTORS: Final[Mapping[str, Connector]] = _Connectors()


def connector(name: str) -> Connector:
    """Return the connector of a format.

    Raises:
        ConfigurationError: if there is no such format.
    """
    if name not in _CONNECTORS:
        raise ConfigurationError(f"there is no format {name!r}; the formats are {', '.join(_CONNECTORS)}")
    return CONNECTORS[name]


def recognise(head: bytes) -> Connector | None:
    """Return the connector that recognises bytes beginning with `head` (up to 4 KiB), or None."""
    return next((found for found in CONNECTORS.values() if found.recognises(head)), None)


@cache
def _load(place: str) -> Connector:
    module, _, name = place.partition(":")
    return cast(Connector, getattr(import_module(module), name)())
