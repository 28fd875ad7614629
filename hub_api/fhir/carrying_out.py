"""Carries out what is written over the API: decided, stated, audited and announced in one transaction, or not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from ehr_pm.stating import Statement, lock, spoken_of, standing, state
from hub_api.fhir.conditions import Condition, as_told, matching, only
from hub_api.fhir.deciding import Decisions, writing
from hub_api.fhir.incoming import chosen_id
from hub_api.fhir.outcome import OutcomeError
from hub_api.fhir.wishes import Done, Wish, hold_version
from hub_core.clock import now
from hub_core.database import driver_connection
from hub_core.errors import UnreadableError
from hub_core.fhir.canonical import Json, load_object
from hub_core.fhir.protected import protect_again
from hub_core.fhir.registry import patient_id

if TYPE_CHECKING:
    import psycopg

    from ehr_pm.acts import Act
    from ehr_pm.record.entry import Key, Verdict
    from ehr_pm.record.queries import Found
    from hub_api.security.caller import Caller
    from hub_core.keyring import Keyring

_WROTE: Final = ("created", "updated", "deleted")


class Writing:
    """What one caller writes in one act."""

    def __init__(self, doing: Act, caller: Caller, keyring: Keyring) -> None:
        """Write in `doing`, what is dangerous to keep in clear as tokens of `keyring`."""
        self.connection: psycopg.Connection[Any] = driver_connection(doing.session.connection())
        self.doing = doing
        self._caller = caller
        self._keyring = keyring
        self._decisions = Decisions(self.connection, caller)

    def carry_out(self, wishes: Sequence[Wish]) -> list[Done]:
        """Carry out wishes, one of each resource at most, and return what became of each.

        Raises:
            RefusedError: if the caller may not do one of them.
            OutcomeError: if one of them cannot be done.
            ConflictError: if another writer was creating the same.
        """
        before = lock(self.connection, [wish.key for wish in wishes])
        self._decisions.newborn |= {wish.resource_id for wish in wishes if _makes_patient(wish, before.get(wish.key))}
        self._hold_patients(wishes)
        statements = [each for wish in wishes if (each := self._statement(wish, before.get(wish.key))) is not None]
        told = state(self.connection, statements, before, now(), may_link=self._may_link)
        after = standing(self.connection, [wish.key for wish in wishes])
        verdicts = dict(zip((each.key for each in statements), told, strict=True))
        self._hold_sensitive(statements, after)
        self._hold_orphans(wishes, verdicts)
        done = [Done(wish, verdicts.get(wish.key, "unchanged"), after.get(wish.key)) for wish in wishes]
        for one in done:
            self._put_on_record(one, before.get(one.wish.key))
        return done

    def changed(self, wish: Wish, change: Callable[[Json], Json]) -> Wish:
        """Return the wish for what `change` makes of a resource as it stands, locked.

        Raises:
            RefusedError: if the caller may not change it; nothing of it is told before.
            OutcomeError: if there is none, or it cannot be changed so.
        """
        before = lock(self.connection, [wish.key]).get(wish.key)
        if before is None:
            raise OutcomeError(404, "no such resource")
        self._decisions.may_change(before)
        if before.deleted:
            raise OutcomeError(410, "this resource was deleted")
        hold_version(wish, before)
        return replace(wish, resource=change(load_object(before.body.encode())))

    def find(self, wish: Wish, condition: Condition) -> Wish | Done:
        """Return the wish for what its condition finds; or what is there already, where it would make it again.

        Raises:
            RefusedError: for who may read nothing of the type.
            OutcomeError: if more than one resource matches, or one of another id.
        """
        with within(wish.place):
            found = matching(self.connection, self._caller.access, condition)
            if found is None or wish.interaction != "create":
                return as_told(wish, found)
            there = Done(wish, "unchanged", found)
            self._put_on_record(there, found)
            return there

    def refer(self, condition: Condition) -> str:
        """Return the reference to the one resource that a condition finds.

        Raises:
            RefusedError: for who may read nothing of the type.
            OutcomeError: 412, if not exactly one matches.
        """
        found = only(self.connection, self._caller.access, condition)
        if found is None:
            raise OutcomeError(412, "nothing matches what is referred to by a search", code="not-found")
        resource_id = str(found.resource_id)
        self.doing.noted(
            "resource.search",
            resource_type=found.resource_type,
            resource_id=resource_id,
            patient_id=found.patient_id,
            location=found.location,
        )
        return f"{found.resource_type}/{resource_id}"

    @property
    def _may_link(self) -> bool:
        """Return whether what the caller writes may tie patients to persons: it opens charts of other locations."""
        return all(grant.locations is None for grant in self._caller.access.grants)

    def _statement(self, wish: Wish, before: Found | None) -> Statement | None:
        """Return what is to be stated; None where there is nothing to be deleted."""
        with within(wish.place):
            action = writing(wish.resource_type)
            if before is not None:
                self._decisions.may_change(before)
            hold_version(wish, before)
            if wish.resource is None:
                return None if before is None or before.deleted else self._deletion(wish, before)
            if before is None:
                chosen_id(wish.resource_id)
            location = before.location if before is not None else self._decisions.location(action)
            said = {**wish.resource, "id": wish.resource_id}
            known: Json = {} if before is None else load_object(before.body.encode())
            resource = protect_again(said, self._keyring.token, known)
            self._decisions.may_state(resource, location)
            return Statement(resource, self._decisions.source, location)

    def _deletion(self, wish: Wish, before: Found) -> Statement:
        gone = {"resourceType": wish.resource_type, "id": wish.resource_id}
        return Statement(gone, self._decisions.source, before.location, is_deleted=True)

    def _hold_patients(self, wishes: Sequence[Wish]) -> None:
        """Make sure that what is about a patient is about one who is known here, once that may be told."""
        about = [(wish, patient) for wish in wishes if (patient := _patient_of(wish)) is not None]
        asked = sorted({patient for _, patient in about} - self._decisions.newborn)
        found = standing(self.connection, [("Patient", each) for each in asked])
        known = self._decisions.newborn | {key[1] for key, patient in found.items() if not patient.deleted}
        for wish, patient in about:
            if patient not in known:
                with within(wish.place):
                    self._refuse_unknown(wish)

    def _refuse_unknown(self, wish: Wish) -> None:
        """Refuse who reaches nobody unknown as if they did not reach somebody known."""
        action = writing(wish.resource_type)
        self._decisions.may_state({**(wish.resource or {}), "id": wish.resource_id}, self._decisions.location(action))
        raise OutcomeError(422, "the patient whom this is about is not known here", code="not-found")

    def _hold_sensitive(self, statements: Sequence[Statement], after: Mapping[Key, Found]) -> None:
        """Make sure that nobody writes what they might not write once it bears the labels of the house."""
        for each in statements:
            found = after[each.key]
            if not each.is_deleted and found.sensitivity is not None:
                self._decisions.may_state(each.resource, each.location, found.sensitivity)

    def _hold_orphans(self, wishes: Sequence[Wish], verdicts: Mapping[Key, Verdict]) -> None:
        gone = {wish.resource_id: wish for wish in wishes if wish.resource_type == "Patient" and wish.resource is None}
        left = spoken_of(self.connection, [each for each in gone if verdicts.get(("Patient", each)) == "deleted"])
        for each in sorted(left):
            with within(gone[each].place):
                raise OutcomeError(409, "other resources are about this patient; delete them first")

    def _put_on_record(self, done: Done, before: Found | None) -> None:
        """Audit what was done with each patient whom it was about, and announce it if it changed anything."""
        wish, found = done.wish, done.found
        if found is None:
            self.doing.noted("resource.delete", resource_type=wish.resource_type, resource_id=wish.resource_id)
            return
        resource_id = str(found.resource_id)
        named: dict[str, Any] = {"resource_type": wish.resource_type, "resource_id": resource_id}
        action = f"resource.{_VERBS.get(done.verdict, wish.interaction)}"
        about: dict[str, Any] = {"patient_id": found.patient_id, "location": found.location}
        detail: dict[str, Any] = {"version": str(found.version), "source": found.source}
        if done.verdict in _WROTE:
            self.doing.announce(action, wish.resource_type, resource_id, **about, **detail)
        else:
            self.doing.noted(action, **named, **about, **detail, unchanged="true")
        if before is not None and before.patient_id not in (None, found.patient_id):
            self.doing.noted(action, **named, patient_id=before.patient_id, location=before.location, **detail)


_VERBS: Final = {"created": "create", "updated": "update", "deleted": "delete"}


@contextmanager
def within(place: str) -> Iterator[None]:
    """Let an error tell in which entry of a Bundle it is; outside a Bundle it stays as it is.

    Raises:
        OutcomeError: in place of what told no place.
    """
    try:
        yield
    except OutcomeError as error:
        if not place:
            raise
        raise error.within(place) from error
    except UnreadableError as error:
        if not place:
            raise
        raise OutcomeError(400, error.text, code=error.code, expression=place) from error


def _makes_patient(wish: Wish, before: Found | None) -> bool:
    is_new = before is None or before.deleted
    return wish.resource_type == "Patient" and wish.resource is not None and is_new


def _patient_of(wish: Wish) -> str | None:
    return None if wish.resource is None else patient_id({**wish.resource, "id": wish.resource_id})
