"""How sensitive what comes to the record is: by its labels, by tags people put on it, by the programme it belongs to.

A tag or a programme adds a label of ours, which later versions of the resource get too, whatever their source says,
until the tag ends. Labels of ours are no part of what a resource says: its hash is that of the source's words.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from ehr_pm.record.bodies import unpack
from ehr_pm.record.entry import Entry
from hub_core.fhir.canonical import Json, load_object
from hub_core.fhir.registry import patient_id
from hub_core.sensitivity import bare, kind_of, labelled, strictest

if TYPE_CHECKING:
    import psycopg

_GATE: Final = 7_110_041
"""Advisory lock: writers hold it together, who changes tags holds it alone, so that no version slips by in between."""
_IN_FORCE: Final = """
SELECT patient_id::text, resource_type, resource_id::text, kind FROM sensitivity_tag
WHERE ended_at IS NULL AND patient_id IN (SELECT unnest(string_to_array(%s, ' ')::uuid[]))
UNION ALL SELECT NULL, key, NULL, sensitivity FROM location WHERE sensitivity IS NOT NULL
"""
_AS_IT_STANDS: Final = """
SELECT r.resource_type, r.resource_id, v.body, v.source, v.source_id, v.location, r.event_at, r.authority,
    coalesce(r.arrival, 0), v.message_id, coalesce(r.position, 1), v.mapping_version
FROM resource r JOIN resource_version v ON v.batch_key = r.batch_key AND v.ordinal = r.ordinal
WHERE r.patient_id = %(patient)s AND NOT r.deleted
    AND (%(type)s::text IS NULL OR (r.resource_type = %(type)s AND r.resource_id = %(id)s))
ORDER BY r.resource_type, r.resource_id
"""


@dataclass(frozen=True, slots=True)
class Tags:
    """What is tagged, of the patients and places of a batch."""

    of_records: Mapping[tuple[str, str | None, str | None], str]
    """Kinds by patient, type and id; without type and id for all records of the patient."""
    of_places: Mapping[str, str]
    """Kinds by the keys of the programmes."""

    def kind_for(self, resource: Json, location: str | None) -> str | None:
        """Return the kind that tags and programmes give a resource; what is about no patient is never sensitive."""
        if not self.of_records and location not in self.of_places:
            return None
        if (patient := patient_id(resource)) is None:
            return None
        whole = self.of_records.get((patient, None, None))
        single = self.of_records.get((patient, resource["resourceType"], resource["id"]))
        return strictest(whole, single, self.of_places.get(location or ""))


def hold_gate(connection: psycopg.Connection[Any]) -> None:
    """Let nobody change any tag until this transaction ends.

    Before anything is locked that whoever changes a tag will want as well, or the two would wait for each other.
    """
    connection.execute("SELECT pg_advisory_xact_lock_shared(%s)", (_GATE,))


def ask(connection: psycopg.Connection[Any], entries: Sequence[Entry]) -> psycopg.Cursor[Any]:
    """Ask which tags count for a batch, after the gate is held."""
    patients = {patient for entry in entries if (patient := patient_id(entry.resource)) is not None}
    return connection.execute(_IN_FORCE, (" ".join(patients),))


def in_force(told: Iterable[tuple[str | None, str, str | None, str]]) -> Tags:
    """Return the tags that were asked for."""
    of_records: dict[tuple[str, str | None, str | None], str] = {}
    of_places: dict[str, str] = {}
    for patient, kind_or_place, resource_id, kind in told:
        if patient is None:
            of_places[kind_or_place] = kind
        else:
            key = (patient, kind_or_place, resource_id)
            of_records[key] = strictest(kind, of_records.get(key)) or kind
    return Tags(of_records, of_places)


def settled(resource: Json, ours: str | None) -> tuple[Json, str | None]:
    """Return a resource with our label where that is stricter than its own, and how sensitive it is in the end."""
    own = bare(resource)
    said = kind_of(own)
    kind = strictest(said, ours)
    return (own if kind is None or kind == said else labelled(own, kind, is_ours=True)), kind


def close_gate(connection: psycopg.Connection[Any]) -> None:
    """Wait for all who are writing, and let nobody write until this transaction ends."""
    connection.execute("SELECT pg_advisory_xact_lock(%s)", (_GATE,))


def standing(
    connection: psycopg.Connection[Any], patient: UUID, resource_type: str | None, resource_id: UUID | None
) -> list[Entry]:
    """Return a patient's records, or one of them, as their sources stated them: to be applied under other tags."""
    wanted = {"patient": patient, "type": resource_type, "id": resource_id}
    return [
        Entry(_unstamped(load_object(unpack(body, kind, key))), *envelope)
        for kind, key, body, *envelope in connection.execute(_AS_IT_STANDS, wanted)
    ]


def _unstamped(resource: Json) -> Json:
    own = bare(resource)
    meta = {key: value for key, value in own.get("meta", {}).items() if key not in ("versionId", "lastUpdated")}
    rest = {key: value for key, value in own.items() if key != "meta"}
    return {**rest, "meta": meta} if meta else rest
