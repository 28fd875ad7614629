"""References that lead nowhere: what resources refer to that no source has sent, as far as the record knows today."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

if TYPE_CHECKING:
    import psycopg

# The stub of a target that was only mentioned counts as here: a source has told that it exists.
# Whose something is stands in its row, not in the index.
_LOOSE = """
WITH said AS (
    SELECT resource_key, param, target_type, target_id FROM search_reference
    UNION ALL
    SELECT resource_key, 'patient', 'Patient', patient_id::text FROM resource
    WHERE patient_id IS NOT NULL AND resource_type <> 'Patient' AND NOT deleted
)
SELECT r.source, r.resource_type, s.param, s.target_type, count(*), min(r.recorded_at),
    (array_agg(r.message_id ORDER BY r.resource_key))[1], (array_agg(r.position ORDER BY r.resource_key))[1]
FROM said s JOIN resource r USING (resource_key)
LEFT JOIN resource t ON t.resource_type = s.target_type AND t.resource_id::text = s.target_id AND NOT t.deleted
WHERE t.resource_key IS NULL AND (%(source)s::text IS NULL OR r.source = %(source)s)
GROUP BY 1, 2, 3, 4 ORDER BY count(*) DESC, 1, 2, 3, 4
"""


@dataclass(frozen=True, slots=True)
class LooseEnd:
    """References of one kind that lead nowhere."""

    source: str
    resource_type: str
    element: str
    """The search parameter that the element is found by."""
    target_type: str
    references: int
    since: datetime
    message_id: UUID | None
    """A message that says one of them, and where in it."""
    position: int | None


def loose_ends(connection: psycopg.Connection[Any], source: str | None = None) -> Iterator[LooseEnd]:
    """Yield the references that lead nowhere, of all sources or of one, most frequent first."""
    for row in connection.execute(_LOOSE, {"source": source}):
        yield LooseEnd(*row)
