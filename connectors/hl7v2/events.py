"""Which message types are mapped to FHIR, and by which mapper."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from connectors.hl7v2.admission import map_admission
from connectors.hl7v2.conversion import Conversion

Mapper: TypeAlias = Callable[[Conversion], None]

_ADMISSIONS = "A01 A02 A03 A04 A05 A06 A07 A08 A09 A10 A11 A12 A13 A14 A15 A16 A21 A22 A25 A26 A27 A28 A31 A38"

MAPPERS: dict[str, Mapper] = {f"ADT^{event}": map_admission for event in _ADMISSIONS.split()}


def mapper_of(kind: str) -> Mapper | None:
    """Return the mapper of messages of type `kind` (`ADT^A01`); None where they are not mapped."""
    return MAPPERS.get(kind)
