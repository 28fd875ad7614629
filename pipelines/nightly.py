"""The night's work: rows are compared with the record, and what could not be received is looked at again."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

from ehr_pm import findings
from ehr_pm.record import following
from ehr_pm.reprojection import CHECKS, Comparison, compare
from hub_core.clock import now
from pipelines.receiving import receive_again

if TYPE_CHECKING:
    from hub_core.database import Database
    from pipelines.installation import Installation

_HOUR: Final = 8
"""UTC: the small hours from the east to the west of the United States."""
_READER: Final = "nightly"


class Night:
    """Works for one installation once a day; `tick` is called every few minutes."""

    def __init__(self, installation: Installation) -> None:
        """Begin; when it was done last is kept in the database."""
        self._database = installation.database

    def tick(self) -> None:
        """Do the night's work when it is due: one process of the house does it, once."""
        moment = now()
        if moment.hour < _HOUR:
            return
        with self._database.begin() as unit:
            last = following.place_of(unit.driver, _READER)
            if last >= moment.toordinal():
                return
            following.move_on(unit.driver, _READER, moment.toordinal())
        receive_again(self._database)
        reconcile(self._database, moment)


def reconcile(database: Database, moment: datetime) -> Comparison:
    """Compare every row of ours with the record, and keep what differs as findings."""
    found = compare(database, moment)
    with database.begin() as unit:
        findings.replace(unit.driver, moment, CHECKS, found.findings)
    return found
