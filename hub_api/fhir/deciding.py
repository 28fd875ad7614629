"""Who may write what over the FHIR API: the one decision, asked of what stands and of what is to stand instead.

A resource about a patient is for those who reach the patient before it is written; it cannot itself make a patient
known somewhere. Anything else belongs to the location where it is written. A resource is changed by whose it is only.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID

from ehr_pm.record.scope import places_of
from ehr_pm.stating import source_of
from hub_api.fhir.outcome import OutcomeError
from hub_api.security.permission import RefusedError, require_any
from hub_api.security.policy import action_to_write, why_not_written
from hub_core.access import Action, Decision, Subject, scope_of
from hub_core.feeds import API_SOURCES, OWN_SOURCE
from hub_core.fhir.registry import patient_id
from hub_core.sensitivity import bare, kind_of

if TYPE_CHECKING:
    import psycopg

    from ehr_pm.record.queries import Found
    from hub_api.security.caller import Caller
    from hub_core.fhir.canonical import Json


def writing(resource_type: str) -> Action:
    """Return the action that is needed to write a type.

    Raises:
        OutcomeError: 405, if nobody can.
    """
    action = action_to_write(resource_type)
    if action is None:
        raise OutcomeError(405, why_not_written(resource_type), code="not-supported")
    return action


@dataclass(slots=True)
class Decisions:
    """The decisions of one transaction, as things stood before it."""

    connection: psycopg.Connection[Any]
    caller: Caller
    newborn: set[str] = field(default_factory=set)
    """Patients who are made in this transaction."""
    _places: dict[str, frozenset[str]] = field(default_factory=dict)

    @property
    def source(self) -> str:
        """Return in whose name the caller writes."""
        principal = self.caller.principal
        return source_of(principal.principal_id, is_program=principal.kind == "program")

    def location(self, action: Action) -> str | None:
        """Return the location where something new is written; None where it is written for the whole group.

        Raises:
            OutcomeError: if the caller works at several and does not say at which.
            RefusedError: if no role of theirs may do this where they say that they work.
        """
        reached, said = scope_of(self.caller.access, action).locations, self.caller.location
        if reached is None or said in reached:
            return said
        if said is None and len(reached) == 1:
            return next(iter(reached))
        if said is None and reached:
            raise OutcomeError(400, "say in X-Location at which of your locations you write this", code="required")
        raise RefusedError(Decision(False, "no role of yours reaches this"), action)

    def may_change(self, before: Found) -> None:
        """Return if the caller may write over a resource.

        Raises:
            RefusedError: if they do not reach it, or it is another's.
        """
        patient = None if before.patient_id is None else str(before.patient_id)
        self._require(before.resource_type, patient, before.sensitivity, before.location)
        if before.source != self.source:
            action = writing(before.resource_type)
            raise RefusedError(Decision(False, _whose(before.source)), action, before.patient_id)

    def may_state(self, resource: Json, location: str | None, sensitivity: str | None = None) -> None:
        """Return if the caller may write a resource as it is, or as sensitive as it has become.

        Raises:
            RefusedError: if not.
        """
        kind = resource["resourceType"]
        self._require(kind, patient_id(resource), sensitivity or kind_of(bare(resource)), location)
        if kind == "Patient" and resource.get("link"):
            self._ask("patient.merge", self._subject(patient_id(resource), None, location))

    def _require(self, kind: str, patient: str | None, sensitivity: str | None, location: str | None) -> None:
        self._ask(writing(kind), self._subject(patient, sensitivity, location))

    def _ask(self, action: Action, subject: Subject) -> None:
        require_any(self.caller, (action,), subject)

    def _subject(self, patient: str | None, sensitivity: str | None, location: str | None) -> Subject:
        here = frozenset([location] if location else [])
        if patient is None:
            return Subject(here, None, sensitivity, location)
        places = here if patient in self.newborn else self._known_at(patient)
        return Subject(places, UUID(patient), sensitivity, location)

    def _known_at(self, patient: str) -> frozenset[str]:
        """Return where a patient is known; asked once, so before anything is written."""
        if patient not in self._places:
            self._places[patient] = places_of(self.connection, self.caller.access, UUID(patient))
        return self._places[patient]


def _whose(source: str) -> str:
    if source == OWN_SOURCE:
        return "this is kept by the practice itself; it is changed at /api/practice"
    if source.startswith(API_SOURCES):
        return "this was written by another program, or by the staff; only they change it"
    return "this is what another system says; it is corrected there"
