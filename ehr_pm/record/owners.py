"""Whose a resource is: of the source that stated it first, for ever; ours, of the service whose row stands behind it.

Two masters of one resource would overwrite each other in turns, and rows would say something else than FHIR does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from hub_core.errors import WholechartError
from hub_core.feeds import OWN_SOURCE

if TYPE_CHECKING:
    from ehr_pm.record.entry import Entry


class ForeignWriteError(WholechartError):
    """Somebody wrote to a resource that is another's."""


def refuse_foreign(entries: Sequence[Entry], owners: Mapping[tuple[str, str], str | None], *, is_owner: bool) -> None:
    """Make sure that every entry is of the source whose resource it is.

    Args:
        entries: what is to be written.
        owners: the source of each resource that is there already; None where there is none.
        is_owner: whether the service writes whose rows stand behind what is ours.

    Raises:
        ForeignWriteError: if one is not.
    """
    owned = dict(owners)
    for entry in entries:
        key = entry.key
        if entry.source == OWN_SOURCE and not is_owner:
            raise ForeignWriteError(f"{key[0]} of our own is written by the service that owns its row only")
        if (owned[key] or entry.source) != entry.source:
            raise ForeignWriteError(f"this {key[0]} is another source's")
        owned[key] = entry.source
