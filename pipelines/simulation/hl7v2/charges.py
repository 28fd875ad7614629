"""DFT^P03: what family practice charges, takes back, is paid and writes off."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime
from random import Random

from pipelines.simulation.feeds import SimulatedFeed
from pipelines.simulation.group import PAYERS
from pipelines.simulation.hl7v2.people import People
from pipelines.simulation.hl7v2.writing import Draft, Stamp, clinician, coded, escaped, money, visit_in_passing
from pipelines.simulation.money import AccountEntry, Books, Charge
from pipelines.simulation.spans import seconds
from pipelines.simulation.world import Chapter, Visit

_KINDS = {"payment": "PY", "adjustment": "AJ"}
_PAYMENT_CODE = "PAY^Payment^99RIV"
_PLANS: Mapping[str | None, str] = {
    None: "",
    **{key: f"{payer.payer_id}^{escaped(payer.name)}" for key, payer in PAYERS.items()},
}
"""FT1-14 by payer; the patient has none."""


class Charges:
    """The DFT messages of one site in one chapter: one for all that is posted to a visit's account at one moment."""

    def __init__(
        self, chapter: Chapter, books: Books, people: People, feed: SimulatedFeed, stamp: Stamp, random: Random
    ) -> None:
        """Write the charges and entries of `books` at the site of `feed`."""
        self._postings: dict[tuple[str, datetime], tuple[list[Charge], list[AccountEntry]]] = defaultdict(
            lambda: ([], [])
        )
        for charge in books.charges:
            if charge.site == feed.site:
                self._postings[charge.visit_id, charge.charged_at][0].append(charge)
        for entry in books.entries:
            if entry.site == feed.site:
                self._postings[entry.visit_id, entry.posted_at][1].append(entry)
        self._visits = {each.visit_id: each for each in chapter.visits if each.site == feed.site}
        self._people = people
        self._stamp = stamp
        self._random = random
        self._facility = feed.practice.facility
        self._frames: dict[str, tuple[str, str]] = {}

    def drafts(self) -> Iterator[Draft]:
        """Yield the messages."""
        for (visit_id, at), (charges, entries) in self._postings.items():
            sent_at = at + seconds(int(self._random.random() * 240) + 30)
            yield Draft(
                sent_at, "DFT^P03^DFT_P03", visit_id, self._segments(self._visits[visit_id], at, charges, entries)
            )

    def _segments(self, visit: Visit, at: datetime, charges: list[Charge], entries: list[AccountEntry]) -> str:
        key, posted = visit.registration_id, self._stamp(at)
        pv1, insurance = self._around(visit)
        lines = [_charge(each, posted) for each in charges] + [_entry(each, posted) for each in entries]
        ft1 = "".join(f"FT1|{number}|{line}\r" for number, line in enumerate(lines, 1))
        return (
            f"EVN|P03|{posted}\r{self._people.pid(key, at, account=f'{visit.visit_id}^^^{self._facility}^AN')}"
            f"{pv1}{ft1}{insurance}"
        )

    def _around(self, visit: Visit) -> tuple[str, str]:
        """Return what stands before and after the transactions, the same in all messages of a visit."""
        found = self._frames.get(visit.visit_id)
        if found is None:
            insurance = self._people.insurance(visit.registration_id, visit.started_at)
            found = self._frames[visit.visit_id] = (visit_in_passing(visit, self._facility), insurance)
        return found


def _charge(charge: Charge, posted: str) -> str:
    service, amount = coded(charge.service), money(charge.amount)
    each = f"{money(charge.amount // charge.units)}&USD" if charge.amount % charge.units == 0 else ""
    return (
        f"{charge.charge_id}||{posted}|{posted}|{'CD' if charge.credits else 'CG'}|{service}|||{charge.units}|"
        f"{amount}&USD|{each}||{_PLANS[charge.payer]}|||||{coded(charge.diagnosis)}|{clinician(charge.clinician)}|||||"
        f"{service}|{charge.modifier}"
    )


def _entry(entry: AccountEntry, posted: str) -> str:
    code, payer = _PAYMENT_CODE, _PLANS[entry.payer]
    if entry.kind == "adjustment":
        code = f"{entry.group_code}{entry.reason_code}" if entry.group_code else f"{escaped(entry.reason_code)}^^99RIV"
    return f"{entry.entry_id}||{posted}|{posted}|{_KINDS[entry.kind]}|{code}||||{money(entry.amount)}&USD|||{payer}"
