"""What the record holds, as tests look at it: bodies as they were given."""

from __future__ import annotations

from typing import Any

from ehr_pm.record.bodies import unpack
from hub_core.database import Database

_BODIES = "SELECT v.body FROM resource_version v JOIN resource r USING (resource_type, resource_id)"


def bodies(database: Database, condition: str = "true", *values: Any) -> list[str]:
    """Return the text of versions `v` of resources `r`, as they were written."""
    query = f"{_BODIES} WHERE {condition} ORDER BY v.batch_key, v.ordinal"
    with database.begin() as unit:
        return [unpack(body).decode() for (body,) in unit.driver.execute(query.encode(), values)]


def standing(database: Database, condition: str = "true", *values: Any) -> list[str]:
    """Return the text of the current versions of resources `r`."""
    return bodies(database, f"v.version = r.version AND {condition}", *values)
