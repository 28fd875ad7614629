"""What a writing interaction wants, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from hub_api.fhir.outcome import OutcomeError

if TYPE_CHECKING:
    from ehr_pm.record.entry import Key, Verdict
    from ehr_pm.record.queries import Found
    from hub_core.fhir.canonical import Json

Interaction: TypeAlias = Literal["create", "update", "delete"]

ANY_VERSION: Final = 0
NOT_YET: Final = -1


@dataclass(frozen=True, slots=True)
class Wish:
    """A resource to be created, updated or deleted."""

    interaction: Interaction
    resource_type: str
    resource_id: str
    resource: Json | None = None
    """As it was sent and checked; None where it is to be deleted."""
    if_match: int | None = None
    """The version that must be current; `ANY_VERSION` and `NOT_YET`: that there is one, or none; None: whatever is."""
    place: str = ""
    """Where in a Bundle it stands: `Bundle.entry[3]`."""

    @property
    def key(self) -> Key:
        """Return the resource's type and id."""
        return self.resource_type, self.resource_id


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a wish, and the resource as it stands now; None for what never was there."""

    wish: Wish
    verdict: Verdict
    found: Found | None


def version_wanted(if_match: str | None) -> int | None:
    """Return the version that an `If-Match` names (R4 section 3.1.0.5).

    Raises:
        OutcomeError: if it names none of ours.
    """
    if not if_match or not if_match.strip():
        return None
    text = if_match.strip()
    if text == "*":
        return ANY_VERSION
    number = text.removeprefix("W/").strip('"')
    if not (number.isascii() and number.isdigit() and len(number) < 10):
        raise OutcomeError(412, 'If-Match names the version that a read gave as its ETag, as W/"3"')
    return int(number)


def hold_version(wish: Wish, before: Found | None) -> None:
    """Return if the version stands that whoever wrote this had read.

    Raises:
        OutcomeError: 412, if it does not.
    """
    if wish.if_match is None:
        return
    if wish.if_match == NOT_YET:
        if before is not None:
            raise OutcomeError(409, "there is a resource of this id already")
        return
    is_there = before is not None and not before.deleted
    if not is_there or (wish.if_match != ANY_VERSION and before is not None and before.version != wish.if_match):
        raise OutcomeError(412, "somebody else changed this since that version; read it again")
