"""The benchmarks by name; each is a module of that name with one function `measure(scale)`."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import cast

from benchmarks.measuring import Figure
from hub_core.errors import ConfigurationError

BENCHMARKS = {
    "convert_hl7v2": "HL7 v2 bytes to FHIR JSON, beside python-hl7 and hl7apy, which only parse.",
    "mllp_ack": "Durable acknowledgements over MLLP, beside a bare group-commit loop.",
    "worker": "Stored messages to a searchable record, and how long they wait, beside one transaction a message.",
    "ndjson_to_record": "NDJSON lines to the record, beside a plain COPY into one indexed table.",
    "record_to_lake": "Changes of the record to Parquet, beside a bare COPY and a bare fetch and write.",
    "views": "Seven narrow views over the lake's bodies, beside SQL by hand that is told the schema.",
    "lake_to_marts": "Lake to views and marts, the views beside SQL written by hand.",
    "incremental_warehouse": "A hundredth of a large lake changed, beside the whole build.",
    "fhirpath": "Paths of the shipped views over resources in memory, beside fhirpathpy.",
    "fhir_read": "Patient reads with log-in and audit, beside the same bytes without either.",
    "search": "Searches of every kind with log-in, scope and audit, beside one bare SELECT.",
    "booking": "Visits booked by eight at once, beside the bare rows under the same constraint.",
    "patient_page": "The page of a patient with a thousand visits, beside the patient's bytes alone.",
    "week_calendar": "The week of twelve clinicians with five thousand series, and one of its days.",
    "audit_cost": "An act of eight writers with its audit events, and without them.",
    "audit_verification": "Events of the audit trail verified, beside reading them and beside their digests alone.",
    "simulator": "People simulated a second, beside the same bytes copied.",
    "simulated_group": "A simulated group of 20,000 through the whole house, its disk beside the raw resources.",
    "help": "`wholechart --help`, beside an interpreter that does nothing.",
}
"""Name to what it measures, in the order of the way through the house."""


def measure(name: str, scale: float = 1.0) -> Figure:
    """Run one benchmark and return its figure; `scale` shortens the input of a quick run.

    Raises:
        ConfigurationError: if a peer is not installed.
    """
    try:
        module = importlib.import_module(f"benchmarks.{name}")
    except ModuleNotFoundError as error:
        raise ConfigurationError(f"{error.name} is not installed; `make bench` installs the peers") from error
    return cast(Callable[[float], Figure], module.measure)(scale)
