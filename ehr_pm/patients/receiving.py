"""Patients whom another source keeps: rows that follow what it says, merged where it says so.

A row follows one resource, and has its id: that resource is the record of who they are, and nothing of it is projected
again (ADR 0009). What a row becomes depends on the record alone, never on the order in which messages came.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, TypeVar
from uuid import UUID

from sqlalchemy import select, text

from ehr_pm import findings
from ehr_pm.findings import Check, Finding
from ehr_pm.identity.crosswalk import merged_pairs, replaced_pairs
from ehr_pm.patients import reading
from ehr_pm.patients.models import Patient, PatientAddress, PatientContact, PatientMerge, PatientNumber
from hub_core.database import driver_connection
from hub_core.sensitivity import strictest

if TYPE_CHECKING:
    from ehr_pm.acts import Act
    from ehr_pm.organisation.models import Location
    from ehr_pm.organisation.ownership import Mastered
    from ehr_pm.record.following import Said

_Part = TypeVar("_Part", PatientNumber, PatientAddress, PatientContact)

TYPES: Final = ("Patient", "Linkage")
_CHECKS: Final[tuple[Check, ...]] = ("incomplete patient", "unknown location", "not received")
_STATED_MERGES = """
SELECT DISTINCT m.merged_id, m.survivor_id, m.source FROM said_merge m
JOIN patient merged ON merged.patient_id = m.merged_id AND merged.received_from = m.source
JOIN patient survivor ON survivor.patient_id = m.survivor_id AND survivor.received_from = m.source
WHERE m.merged_id = ANY(%(ids)s) OR m.survivor_id = ANY(%(ids)s)
ORDER BY m.merged_id, m.survivor_id
"""


def patients_of(said: Iterable[Said]) -> set[UUID]:
    """Return whom Patients and Linkages are about."""
    found: set[UUID] = set()
    for each in said:
        if each.resource_type == "Patient":
            found.add(each.resource_id)
        found.update(UUID(patient) for pair in _pairs(each) for patient in pair)
    return found


def receive(doing: Act, said: Sequence[Said], places: Mastered, *, again: bool = False) -> list[UUID]:
    """Bring rows of patients in step with what their masters say, and return who is a patient of ours since now.

    Args:
        doing: the act, in which the merges around these patients are lifted.
        said: Patients and Linkages, each as the record holds it now.
        places: where other sources are masters.
        again: whether to look also at what was looked at before.
    """
    people = [each for each in said if each.resource_type == "Patient" and not each.deleted]
    reception = _Reception(doing, people, places, again=again)
    with doing.session.no_autoflush:  # all rows are written at once
        for each in people:
            reception.take(each)
    doing.flush()
    _keep_statements(doing, [each for each in said if each.source in places.sources])
    _reconcile(doing, patients_of(said) | set(reception.born))
    reception.close()
    return reception.born


class _Reception:
    """One portion being received: what it needs to know is asked once for all of it."""

    def __init__(self, doing: Act, people: Sequence[Said], places: Mastered, *, again: bool) -> None:
        self.born: list[UUID] = []
        self._doing = doing
        self._places = places
        self._again = again
        self._looked_at: list[tuple[str, UUID]] = []
        self._findings: list[Finding] = []
        self._heard = {each.resource_id: reading.read(each.resource) for each in people}
        self._rows = _rows(doing, list(self._heard))
        self._keys = set(doing.session.scalars(text("SELECT key FROM location")))
        wanted = [_number(heard, each) for each in people if (heard := self._heard[each.resource_id]) is not None]
        self._taken = set(doing.session.scalars(select(Patient.mrn).where(Patient.mrn.in_(wanted))))

    def take(self, said: Said) -> None:
        """Make or change the row of a patient, or find out why there is none."""
        row, place = self._rows.get(said.resource_id), self._places.of_patients(said.source, said.location)
        if row is None and place is None:
            if said.location is not None and said.location not in self._keys:
                self._find("unknown location", said)
            return
        if row is not None and (row.received_from != said.source or self._is_seen(row, said)):
            return
        self._looked_at.append(("Patient", said.resource_id))
        heard = self._heard[said.resource_id]
        if heard is None:
            if not any(replaced_pairs(said.resource)):
                self._find("incomplete patient", said)
            return
        self._keep(row, heard, said, place)

    def close(self) -> None:
        """Keep what was found, and settle what is no longer so."""
        connection = driver_connection(self._doing.session.connection())
        findings.settle(connection, self._doing.moment, _CHECKS, self._looked_at)
        findings.note(connection, self._findings)

    def _is_seen(self, row: Patient, said: Said) -> bool:
        return not self._again and row.received_version is not None and row.received_version >= said.version

    def _keep(self, row: Patient | None, heard: reading.Heard, said: Said, place: Location | None) -> None:
        """Write a row and what belongs to it as it was heard."""
        doing, moment = self._doing, self._doing.moment
        if row is None:
            row = Patient(patient_id=said.resource_id, received_from=said.source, created_at=moment)
            short = _number(heard, said)
            row.mrn = f"{said.source} {said.source_id}" if short in self._taken else short
            self._taken.add(row.mrn)
            doing.session.add(row)
            self._rows[row.patient_id] = row
            self.born.append(row.patient_id)
        for name, value in heard.person.items():
            if getattr(row, name) != value:
                setattr(row, name, value)
        if place is not None:
            row.home_location = place
        row.sensitivity = strictest(said.sensitivity, row.home_location.sensitivity)
        row.received_version, row.changed_at = said.version, moment
        _replace(doing, row, heard)
        doing.noted(
            "patient.receive",
            resource_type="Patient",
            resource_id=str(said.resource_id),
            patient_id=said.resource_id,
            location=row.home_location.key,
            source=said.source,
            version=str(said.version),
        )

    def _find(self, check: Check, said: Said) -> None:
        moment = self._doing.moment
        self._findings.append(Finding(check, "Patient", said.resource_id, said.source, said.location, moment))


def _rows(doing: Act, ids: Sequence[UUID]) -> dict[UUID, Patient]:
    query = select(Patient).where(Patient.patient_id.in_(ids)).order_by(Patient.patient_id)
    return {row.patient_id: row for row in doing.session.scalars(query.with_for_update(of=Patient))}


def _number(heard: reading.Heard, said: Said) -> str:
    """Return what to call a patient by: their number at the source, told apart from ours and other sources'."""
    own = next((each["value"] for each in heard.numbers if each["kind"] == "MR"), None)
    return f"{said.source} {own or said.source_id.rpartition('|')[2]}"


def _replace(doing: Act, row: Patient, heard: reading.Heard) -> None:
    """Let numbers, addresses and ways to reach a patient be those that were heard; what stays the same stays."""
    _exchange(doing, PatientNumber, row.identifiers, heard.numbers)
    _exchange(doing, PatientAddress, row.addresses, heard.addresses)
    _exchange(doing, PatientContact, row.contacts, heard.contacts)


def _exchange(doing: Act, kind: type[_Part], standing: list[_Part], heard: Sequence[dict[str, Any]]) -> None:
    wanted = {tuple(each.values()): each for each in heard}
    for row in list(standing):
        if not heard or wanted.pop(tuple(getattr(row, name) for name in heard[0]), None) is None:
            standing.remove(row)
            doing.session.delete(row)
    standing.extend(kind(**each) for each in wanted.values())


def _pairs(said: Said) -> Iterator[tuple[str, str]]:
    """Yield (surviving, merged) patients of what is said."""
    if not said.deleted:
        yield from merged_pairs(said.resource)
        yield from replaced_pairs(said.resource)


def _keep_statements(doing: Act, said: Sequence[Said]) -> None:
    """Keep which merges the sources state, also of patients who are not among ours yet."""
    connection = driver_connection(doing.session.connection())
    connection.execute(
        "DELETE FROM said_merge WHERE (resource_type, resource_id) IN (SELECT * FROM unnest(%s::text[], %s::uuid[]))",
        ([each.resource_type for each in said], [each.resource_id for each in said]),
    )
    rows = [(e.resource_type, e.resource_id, e.source, *pair) for e in said for pair in dict.fromkeys(_pairs(e))]
    if rows:
        with connection.cursor() as cursor:
            cursor.executemany("INSERT INTO said_merge VALUES (%s, %s, %s, %s, %s)", rows)


def _reconcile(doing: Act, patient_ids: set[UUID]) -> None:
    """Let the merges of received patients be those that their sources state; rows move when the merges are laid."""
    connection = driver_connection(doing.session.connection())
    ids = sorted(patient_ids)
    stated = connection.execute(_STATED_MERGES, {"ids": ids}).fetchall()
    standing = {row.merged_id: row for row in doing.session.scalars(_standing(ids))}
    wanted = {(merged, survivor) for merged, survivor, _ in stated}
    for merged, row in list(standing.items()):
        if row.received_from is not None and (merged, row.survivor_id) not in wanted:
            _part(doing, standing.pop(merged))
    contradictory: list[Finding] = []
    for merged, survivor, source in stated:
        if merged in standing and standing[merged].survivor_id == survivor:
            continue
        if merged in standing or _leads_to(doing, survivor, merged):
            contradictory.append(_contradiction(merged, source, doing.moment))
        else:
            standing[merged] = _join(doing, merged, survivor, source)
    findings.settle(connection, doing.moment, ["merge in a ring"], [("Patient", each) for each in ids])
    findings.note(connection, contradictory)


def _standing(ids: Sequence[UUID]) -> Any:
    stands = PatientMerge.undone_at.is_(None)
    return select(PatientMerge).where(stands, PatientMerge.merged_id.in_(ids) | PatientMerge.survivor_id.in_(ids))


def _join(doing: Act, merged: UUID, survivor: UUID, source: str) -> PatientMerge:
    row = PatientMerge(
        survivor_id=survivor,
        merged_id=merged,
        reason=f"merged in {source}",
        moved={"tables": [], "persons": {}},
        merged_at=doing.moment,
        received_from=source,
    )
    doing.session.add(row)
    _mark(doing, row, survivor, "patient.merge")
    return row


def _part(doing: Act, row: PatientMerge) -> None:
    row.undone_at = doing.moment
    _mark(doing, row, None, "patient.unmerge")


def _mark(doing: Act, row: PatientMerge, into: UUID | None, action: str) -> None:
    merged = doing.session.get_one(Patient, row.merged_id)
    merged.merged_into, merged.changed_at = into, doing.moment
    doing.flush()
    for each in (row.survivor_id, row.merged_id):
        doing.noted(
            action, resource_type="Patient", resource_id=str(each), patient_id=each, source=str(row.received_from)
        )


def _leads_to(doing: Act, patient_id: UUID, other: UUID) -> bool:
    """Return whether a patient is, or was merged into, another."""
    seen: set[UUID] = set()
    at: UUID | None = patient_id
    while at is not None and at not in seen:
        if at == other:
            return True
        seen.add(at)
        at = doing.session.scalar(select(Patient.merged_into).where(Patient.patient_id == at))
    return False


def _contradiction(merged: UUID, source: str, moment: datetime) -> Finding:
    return Finding("merge in a ring", "Patient", merged, source, None, moment)
