"""What of the record somebody may see, as SQL: `hub_core.access.decide` said of all resources at once.

A patient is known where they are registered, have an appointment or were seen; whoever reaches one of these places
reaches all records of the person. Resources of no patient belong to their location, the directory to everybody.
"""
# ruff: noqa: S608 - SQL text is made of this file's own words; every value is bound

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol
from uuid import UUID

from hub_core.access import (
    HIDDEN_FROM_OTHERS,
    NEEDS_CARE_TEAM,
    NEVER_BY_GLASS,
    OF_A_PROGRAMME,
    Access,
    Action,
    Scope,
    Subject,
    decide,
    scope_of,
)

if TYPE_CHECKING:
    import psycopg


class Placed(Protocol):
    """What a decision asks of a version of a resource."""

    @property
    def resource_type(self) -> str:
        """Return the type of the resource."""

    @property
    def location(self) -> str | None:
        """Return the key of the location whose record it is."""

    @property
    def patient_id(self) -> UUID | None:
        """Return whom it is about."""

    @property
    def sensitivity(self) -> str | None:
        """Return how sensitive it is."""

    @property
    def deleted(self) -> bool:
        """Return whether it says that the resource is no more."""


DIRECTORY: Final = ("Endpoint", "HealthcareService", "Location", "Organization", "Practitioner", "PractitionerRole")
"""Types that no location owns."""

_TELLING: Final = "('Patient', 'Appointment', 'Encounter')"
"""Types that tell where a patient is known."""
_KNOWN: Final = f"""EXISTS (SELECT 1 FROM resource k WHERE k.patient_id = r.patient_id AND k.location = ANY(%(at)s)
    AND k.resource_type IN {_TELLING} AND NOT k.deleted)
 OR EXISTS (SELECT 1 FROM person_member me JOIN person_member same USING (person_id)
    JOIN resource k ON k.patient_id = same.patient_id
    WHERE me.patient_id = r.patient_id AND me.valid_to IS NULL AND same.valid_to IS NULL
    AND k.location = ANY(%(at)s) AND k.resource_type IN {_TELLING} AND NOT k.deleted)"""
_STAFF: Final = f"""CASE WHEN r.patient_id IS NULL
    THEN r.resource_type = ANY(%(directory)s) OR coalesce(r.location = ANY(%(at)s), false)
    ELSE {_KNOWN} END"""
_OWN: Final = "coalesce(r.patient_id = ANY(%(own)s), false)"
_ENTRUSTED: Final = "coalesce(r.patient_id = ANY(%(entrusted)s), false)"
OF_PROGRAMMES: Final = f"(r.sensitivity = '{OF_A_PROGRAMME}' AND coalesce(r.location = ANY(%(programmes)s), false))"
"""A programme's own records, for its own people."""

_KNOWN_AT: Final = f"""
SELECT DISTINCT k.location FROM resource k
WHERE k.patient_id IN (
    SELECT %(patient)s::uuid UNION ALL SELECT same.patient_id FROM person_member me JOIN person_member same
    USING (person_id) WHERE me.patient_id = %(patient)s AND me.valid_to IS NULL AND same.valid_to IS NULL)
AND k.resource_type IN {_TELLING} AND NOT k.deleted AND k.location IS NOT NULL
"""


def condition(scope: Scope) -> tuple[str, dict[str, Any]]:
    """Return a condition on `resource r` that holds for what may be seen, and the values it binds."""
    staff = "true" if scope.locations is None else f"({_STAFF})"
    reached = "true" if scope.locations is None else f"({staff} OR {_OWN} OR {_ENTRUSTED})"
    text = f"""(CASE
        WHEN r.sensitivity IS NULL THEN {reached}
        WHEN r.sensitivity = ANY(%(team)s)
            THEN {_OWN} OR ({staff} AND (coalesce(r.patient_id = ANY(%(treated)s), false) OR {OF_PROGRAMMES}))
        WHEN r.sensitivity = ANY(%(hidden)s) THEN {staff} OR {_OWN}
        ELSE {reached} END
        OR (coalesce(r.patient_id = ANY(%(opened)s), false) AND coalesce(r.sensitivity <> ALL(%(never)s), true)))"""
    return text, {
        "at": sorted(scope.locations or ()),
        "directory": list(DIRECTORY) if scope.is_staff else [],
        "own": list(scope.own),
        "entrusted": list(scope.entrusted),
        "treated": list(scope.treated),
        "programmes": sorted(scope.programmes),
        "opened": list(scope.opened),
        "team": sorted(NEEDS_CARE_TEAM),
        "hidden": sorted(HIDDEN_FROM_OTHERS),
        "never": sorted(NEVER_BY_GLASS),
    }


def closed(connection: psycopg.Connection[Any], scope: Scope) -> list[str]:
    """Return the sensitive records that may not be seen, as `Type/uuid`: what is made from one is not shown either."""
    text, values = condition(scope)
    rows = connection.execute(
        "SELECT r.resource_type || '/' || r.resource_id FROM resource r"
        f" WHERE r.sensitivity IS NOT NULL AND NOT r.deleted AND NOT {text}",
        values,
    )
    return [row[0] for row in rows.fetchall()]


def known_at(connection: psycopg.Connection[Any], patient_id: UUID) -> frozenset[str]:
    """Return the keys of the locations where a patient, or the person they are, is known."""
    return frozenset(row[0] for row in connection.execute(_KNOWN_AT, {"patient": patient_id}).fetchall())


def subject_of(connection: psycopg.Connection[Any], access: Access, found: Placed) -> Subject:
    """Return what a decision about a resource needs to know; where its patient is known only where that matters."""
    if found.patient_id is not None:
        places = places_of(connection, access, found.patient_id)
        if found.deleted and found.location and found.resource_type == "Patient":  # known nowhere, it was there
            places |= {found.location}
        return Subject(places, found.patient_id, found.sensitivity, found.location)
    if found.resource_type in DIRECTORY:
        return Subject(None, None, found.sensitivity, found.location)
    return Subject(frozenset([found.location] if found.location else []), None, found.sensitivity, found.location)


def places_of(connection: psycopg.Connection[Any], access: Access, patient_id: UUID) -> frozenset[str]:
    """Return where a patient is known; of nobody whose every role is for the whole group or for patients of theirs."""
    if any(grant.locations for grant in access.grants):
        return known_at(connection, patient_id)
    return frozenset()


def hidden_kinds(access: Access, action: Action, subject: Subject) -> list[str]:
    """Return the kinds of sensitive records that stay closed to somebody who may see a patient's others.

    A programme's own are open to its people all the same: who asks with this adds `programmes_of`.
    """
    kinds = sorted(NEEDS_CARE_TEAM | HIDDEN_FROM_OTHERS)
    asked = ((kind, Subject(subject.locations, subject.patient_id, kind)) for kind in kinds)
    return [kind for kind, about in asked if not decide(access, action, about).is_allowed]


def programmes_of(access: Access, action: Action) -> list[str]:
    """Return the keys of the programmes whose own records somebody may see."""
    return sorted(scope_of(access, action).programmes)
