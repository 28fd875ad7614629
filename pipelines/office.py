"""The office: what a practice does without being told to, a few times a minute.

Payers are asked what is queued, and once a day again about visits three days ahead; reminders that are due go out;
times that were held too long are free again. Each is an act of the house itself, audited like those of people.
"""

from __future__ import annotations

import logging
from datetime import date

from ehr_pm.acts import Actor, act
from ehr_pm.coverage import eligibility
from ehr_pm.scheduling import reminders, service
from hub_core.clock import now
from pipelines import outbox
from pipelines.installation import Installation
from pipelines.payers.asking import asking, requestor_of

_log = logging.getLogger(__name__)

_THE_HOUSE = Actor(None, purpose="HOPERAT")


class Office:
    """Works for one installation; `tick` is called every few seconds."""

    def __init__(self, installation: Installation) -> None:
        """Begin; nothing was asked again yet."""
        self._installation = installation
        self._asked_again_on: date | None = None

    def tick(self) -> None:
        """Do what is waiting; what goes wrong in one matter keeps none of the others waiting."""
        for matter in (self._ask_again, release_holds, ask_payers, send_reminders):
            try:
                matter(self._installation)
            except Exception as error:  # boundary: the next tick tries again
                _log.warning("%s failed with %s; trying again", matter.__name__, type(error).__name__)

    def _ask_again(self, installation: Installation) -> None:
        today = now().date()
        if self._asked_again_on != today:
            queue_again(installation, today)
            self._asked_again_on = today


def queue_again(installation: Installation, today: date) -> int:
    """Queue questions about the visits three days ahead, and return how many."""
    with act(installation.database, _THE_HOUSE) as doing:
        return eligibility.queue_again(doing, today)


def ask_payers(installation: Installation) -> int:
    """Ask what is queued, and return how many answers came."""
    with installation.database.begin() as unit:
        ask = asking(requestor_of(unit.session))
    return eligibility.ask_queued(lambda: act(installation.database, _THE_HOUSE), ask, installation.keyring)


def send_reminders(installation: Installation) -> int:
    """Send what is due, and return how many went out."""
    with act(installation.database, _THE_HOUSE) as doing:
        folder = installation.settings.data_dir / "outbox"
        return reminders.send_due(doing, outbox.carrier(folder, doing.session, doing.moment.date()))


def release_holds(installation: Installation) -> int:
    """Cancel what was held too long, and return how many."""
    with act(installation.database, _THE_HOUSE) as doing:
        return service.release_expired_holds(doing)
