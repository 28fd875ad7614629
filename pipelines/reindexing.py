"""Brings the search index to what today's version indexes: by itself after an upgrade, or by hand."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from ehr_pm.record import reindexing
from hub_core.errors import NotFoundError
from hub_core.fhir.registry import RESOURCE_TYPES

if TYPE_CHECKING:
    from hub_core.database import Database
    from pipelines.installation import Installation

PORTION: Final = 500
_TICK_SECONDS: Final = 5.0


class Indexer:
    """Works for one installation; `tick` is called every few seconds and does a few seconds' work, if there is any."""

    def __init__(self, installation: Installation) -> None:
        """Begin; how far it is is kept in the database."""
        self._database = installation.database
        self._is_done = False

    def tick(self) -> None:
        """Go on where the index is not that of today's definitions; they are looked at until they are, once."""
        if self._is_done:
            return
        until = time.monotonic() + _TICK_SECONDS
        for _ in reindex(self._database):
            if time.monotonic() > until:
                return
        self._is_done = True


def reindex(database: Database, kinds: Sequence[str] = ()) -> Iterator[int]:
    """Write the index of stored resources anew, and yield how many after each portion.

    Args:
        database: the database.
        kinds: types to go through in any case; without any, those whose rows are not today's.

    Raises:
        NotFoundError: if R4 has no such type.
    """
    if unknown := sorted(set(kinds) - set(RESOURCE_TYPES)):
        raise NotFoundError(f"FHIR R4 has no resource type {', '.join(unknown)}")
    with database.begin() as unit:
        reindexing.begin(unit.driver, kinds)
        wanted = list(kinds) or reindexing.stale(unit.driver)
    while wanted:
        with database.begin() as unit:
            done = reindexing.go_on(unit.driver, wanted, limit=PORTION)
        if done:
            yield done
        if done < PORTION:
            return
