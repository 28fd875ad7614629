"""Resources of types that neither a simulated group nor the public patients have; they say all that our views read."""

from __future__ import annotations

from pathlib import Path

from hub_core.fhir.canonical import load_object

_FILE = Path(__file__).with_name("rare_resources.ndjson")


def rare_resources() -> list[bytes]:
    """Return the lines, one resource each."""
    return _FILE.read_bytes().splitlines()


def rare_resources_of(resource_type: str) -> list[bytes]:
    """Return the lines of one type."""
    return [line for line in rare_resources() if load_object(line)["resourceType"] == resource_type]
