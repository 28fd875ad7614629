"""The facts of one transaction set: each resource once, referred to by the id its business identifier gives."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from connectors.connector import Authority, Fact, Origin
from hub_core.fhir.ids import derived_id

if TYPE_CHECKING:
    from datetime import datetime

    from hub_core.fhir.canonical import Json


class FactSet:
    """Gathers the resources of a set, in the order they are first spoken of."""

    def __init__(self, origin: Origin, event_at: datetime | None) -> None:
        self.origin = origin
        self.event_at = event_at
        self._facts: dict[tuple[str, str], Fact] = {}
        self._repetitions: Counter[tuple[str, str]] = Counter()

    def find(self, resource_type: str, source_id: str) -> Json | None:
        """Return the resource the set has under this business identifier."""
        known = self._facts.get((resource_type, source_id))
        return known.resource if known else None

    def add_repeated(self, resource: Json, source_id: str) -> None:
        """Keep another resource that has the business identifier of one the set has, under its ordinal."""
        key = resource["resourceType"], source_id
        self._repetitions[key] += 1
        self.add(resource, f"{source_id}|{self._repetitions[key] + 1}")

    def add(self, resource: Json, source_id: str, authority: Authority = Authority.FULL) -> Json:
        """Keep `resource` under the id derived from `source_id`, unless as strong a word stands; return a reference."""
        resource_type = resource["resourceType"]
        known = self._facts.get((resource_type, source_id))
        if known is None or known.authority < authority:
            resource["id"] = derived_id(self.origin.source, resource_type, source_id)
            known = self._facts[resource_type, source_id] = Fact(resource, source_id, self.event_at, authority)
        return {"reference": f"{resource_type}/{known.resource['id']}"}

    def all(self) -> tuple[Fact, ...]:
        """Return the facts, first spoken of first."""
        return tuple(self._facts.values())
