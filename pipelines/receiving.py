"""The receiver: keeps rows of patients and visits in step with the sources that are their masters.

What goes wrong with one thing becomes a finding and keeps no other waiting: a portion that fails is received again one
by one. Its place in the change log moves in the transaction of the rows.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError

from ehr_pm import findings, receiving
from ehr_pm.acts import Actor, act
from ehr_pm.findings import Finding
from hub_core.clock import now
from hub_core.group_commit import is_lost_database
from pipelines.installation import Installation

if TYPE_CHECKING:
    from ehr_pm.record.following import Said
    from hub_core.database import Database

_log = logging.getLogger(__name__)
_THE_HOUSE = Actor(None, purpose="HOPERAT")
_TIES = ("40001", "40P01")


class Receiver:
    """Receives for one installation; `tick` is called every second."""

    def __init__(self, installation: Installation) -> None:
        """Begin where the last receiver stopped."""
        self._database = installation.database

    def tick(self) -> None:
        """Receive what has changed since the last time."""
        while receive_portion(self._database):
            pass


def receive_portion(database: Database) -> bool:
    """Receive the next portion of what changed, and return whether there may be more."""
    try:
        with act(database, _THE_HOUSE) as doing:
            said = receiving.next_portion(doing)
            receiving.receive(doing, said or [])
        return said is not None
    except Exception as error:  # boundary: which of the portion is at fault is not known
        if _may_pass(error):
            raise
    return _receive_apart(database)


def receive_again(database: Database) -> int:
    """Look again at what could not be received, and return at how many things."""
    with database.begin() as unit:
        portions = list(receiving.pending(unit.driver))
    for portion in portions:
        _each_apart(database, portion, again=True)
    return sum(map(len, portions))


def _receive_apart(database: Database) -> bool:
    """Receive a portion one by one, then move on; whatever is done twice has no effect the second time."""
    with act(database, _THE_HOUSE) as doing:
        said = receiving.next_portion(doing)
        _each_apart(database, said or [], again=False)
    return said is not None


def _each_apart(database: Database, said: Sequence[Said], *, again: bool) -> None:
    for each in said:
        try:
            with act(database, _THE_HOUSE) as doing:
                receiving.receive(doing, [each], again=again)
        except Exception as error:  # boundary: one thing keeps no other waiting
            if _may_pass(error):
                raise
            _log.warning("%s %s could not be received: %s", each.resource_type, each.resource_id, type(error).__name__)
            with database.begin() as unit:
                findings.note(unit.driver, [_not_received(each)])


def _not_received(said: Said) -> Finding:
    return Finding("not received", said.resource_type, said.resource_id, said.source, said.location, now())


def _may_pass(error: Exception) -> bool:
    """Return whether trying again in a moment may succeed, because nothing that was said is at fault."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    return getattr(cause, "sqlstate", None) in _TIES or is_lost_database(error)
