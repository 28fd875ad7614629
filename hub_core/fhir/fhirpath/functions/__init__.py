"""The functions of FHIRPath by name; `site` says what a function is."""

from __future__ import annotations

from hub_core.fhir.fhirpath.functions.boundaries import BOUNDARY_FUNCTIONS
from hub_core.fhir.fhirpath.functions.collections import COLLECTION_FUNCTIONS
from hub_core.fhir.fhirpath.functions.conversion import CONVERSION_FUNCTIONS
from hub_core.fhir.fhirpath.functions.navigation import NAVIGATION_FUNCTIONS
from hub_core.fhir.fhirpath.functions.numbers import NUMBER_FUNCTIONS
from hub_core.fhir.fhirpath.functions.site import Functions
from hub_core.fhir.fhirpath.functions.texts import TEXT_FUNCTIONS

FUNCTIONS: Functions = {
    **COLLECTION_FUNCTIONS,
    **NAVIGATION_FUNCTIONS,
    **TEXT_FUNCTIONS,
    **NUMBER_FUNCTIONS,
    **CONVERSION_FUNCTIONS,
    **BOUNDARY_FUNCTIONS,
}
