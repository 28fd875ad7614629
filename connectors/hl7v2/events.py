"""Which message types are mapped to FHIR, and by which mapper."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from connectors.hl7v2.admission import map_admission
from connectors.hl7v2.appointment import map_schedule
from connectors.hl7v2.conversion import Conversion
from connectors.hl7v2.financial import map_transactions
from connectors.hl7v2.immunization import map_vaccinations
from connectors.hl7v2.merge import map_merge
from connectors.hl7v2.report import map_results

Mapper: TypeAlias = Callable[[Conversion], None]

_ADMISSIONS = (
    "A01 A02 A03 A04 A05 A06 A07 A08 A09 A10 A11 A12 A13 A14 A15 A16 A21 A22 A23 A25 A26 A27 A28 A31 A38 A52 A53"
)
_MERGES = "A18 A30 A34 A36 A39 A40"
_SCHEDULES = "S12 S13 S14 S15 S16 S17 S26"

MAPPERS: dict[str, Mapper] = {
    **{f"ADT^{event}": map_admission for event in _ADMISSIONS.split()},
    **{f"ADT^{event}": map_merge for event in _MERGES.split()},
    **{f"SIU^{event}": map_schedule for event in _SCHEDULES.split()},
    "ORU^R01": map_results,
    "ORU": map_results,  # HL7 v2.1 had no trigger event here
    "VXU^V04": map_vaccinations,
    "DFT^P03": map_transactions,
}


def mapper_of(kind: str) -> Mapper | None:
    """Return the mapper of messages of type `kind` (`ADT^A01`); None where they are not mapped."""
    return MAPPERS.get(kind)
