"""The books that family practice keeps itself: charges and credits, payments of insurers and patients, write-offs."""

from __future__ import annotations

from datetime import datetime
from random import Random
from typing import Literal

from pipelines.simulation.billing.care import Care, cover, diagnoses, payer_kind
from pipelines.simulation.billing.fees import ALLOWED, COPAYS, FREE, SERVICES
from pipelines.simulation.billing.services import Service, services_of
from pipelines.simulation.group import END_INSTANT
from pipelines.simulation.money import AccountEntry, Books, Charge
from pipelines.simulation.spans import days, minutes
from pipelines.simulation.world import Chapter, Code, Policy, Visit

SMALL_BALANCE = "SMALL"
"""The practice's own reason to write off what is not worth a letter."""

_SMALL = 1000


def keep_accounts(chapter: Chapter, books: Books, random: Random) -> None:
    """Add the charges and entries of every visit at family practice to the books."""
    care = Care(chapter, "family-practice")
    for visit, registration, is_new in care.visits():
        policy = cover(registration, care.clock.day(visit.started_at))[0]
        born = registration.as_of(visit.started_at).birth_date
        vaccines, is_drawn = care.vaccines(visit), care.is_drawn(visit)
        done = services_of(visit, born, is_new, payer_kind(policy), vaccines, is_drawn, random)
        account = _Account(books, visit, policy, random)
        account.charge(done)
        account.settle(done)


class _Account:
    """What one visit costs and how it is paid."""

    def __init__(self, books: Books, visit: Visit, policy: Policy | None, random: Random) -> None:
        self._books, self._visit, self._random = books, visit, random
        self._payer = policy.payer if policy else None
        self._ended = visit.ended_at or visit.started_at
        self._entries = 0

    def charge(self, services: list[Service]) -> None:
        """Charge each service; now and then the visit itself at the wrong level first, taken back days later."""
        codes = diagnoses(self._visit)
        for number, service in enumerate(services, 1):
            charge_id = f"{self._visit.visit_id}-{number}"
            made = self._charge(charge_id, service, codes[min(number, len(codes)) - 1], self._ended)
            if number == 1 and service.code in ("99213", "99214") and self._random.random() < 0.05:
                self._charge_wrong_before(made)
        if self._random.random() < 0.006:
            self._charge_twice(self._books.charges[-1])

    def settle(self, services: list[Service]) -> None:
        """Post what is paid and written off, as far as it happens before the simulated time ends."""
        total = sum(service.fee for service in services)
        if self._payer is None:
            self._patient_pays(total, self._ended, at_once=0.45)
            return
        allowed, shared = _allowed(services, self._payer)
        share = self._patient_share(shared, self._payer)
        copay = min(COPAYS.get(self._payer, 0), share)
        if copay and self._random.random() < 0.85:
            self._post("payment", None, copay, self._ended)
        else:
            copay = 0
        chance = self._random.random()
        if chance < 0.03:
            return  # the insurer never answers
        posted = self._ended + days(14 + int(self._random.random() * 29)) + minutes(120)
        if posted > END_INSTANT:
            return
        if chance < 0.05:
            self._post("adjustment", self._payer, total - copay, posted, "CO", "50" if chance < 0.04 else "29")
            return
        if allowed > share:
            self._post("payment", self._payer, allowed - share, posted)
        if total > allowed:
            self._post("adjustment", self._payer, total - allowed, posted, "CO", "45")
        self._patient_pays(share - copay, posted, at_once=0)

    def _charge(self, charge_id: str, service: Service, diagnosis: Code, at: datetime) -> Charge:
        visit = self._visit
        charge = Charge(
            charge_id,
            visit.registration_id,
            visit.site,
            visit.visit_id,
            visit.clinician,
            SERVICES[service.code],
            diagnosis,
            service.units,
            service.fee,
            at,
            None,
            self._payer,
            service.modifier,
        )
        self._books.charges.append(charge)
        return charge

    def _charge_wrong_before(self, right: Charge) -> None:
        """Put a charge at the next level before the right one, which is made when the wrong one is taken back."""
        later = self._ended + days(1 + int(self._random.random() * 5))
        if later > END_INSTANT:
            return
        self._books.charges.pop()
        wrong = Service("99215" if right.service.code == "99214" else "99214", right.modifier)
        taken = self._charge(f"{right.charge_id}W", wrong, right.diagnosis, self._ended)
        self._take_back(taken, later)
        self._charge(right.charge_id, Service(right.service.code, right.modifier), right.diagnosis, later)

    def _charge_twice(self, charge: Charge) -> None:
        """Charge a service once too often and take it back."""
        later = charge.charged_at + days(2)
        if later > END_INSTANT:
            return
        again = Service(charge.service.code, charge.modifier, charge.units)
        self._take_back(self._charge(f"{charge.charge_id}D", again, charge.diagnosis, charge.charged_at), later)

    def _take_back(self, charge: Charge, at: datetime) -> None:
        self._books.charges.append(
            Charge(
                f"{charge.charge_id}R",
                charge.registration_id,
                charge.site,
                charge.visit_id,
                charge.clinician,
                charge.service,
                charge.diagnosis,
                charge.units,
                charge.amount,
                at,
                charge.charge_id,
                charge.payer,
                charge.modifier,
            )
        )

    def _patient_share(self, shared: int, payer: str) -> int:
        """Return what the insurer leaves to the patient of what is shared: copay, deductible or coinsurance."""
        if payer == "showme-medicaid" or not shared:
            return 0
        if self._random.random() < 0.15:
            return shared
        return shared // 5 if payer == "medicare" else min(shared, COPAYS[payer])

    def _patient_pays(self, due: int, since: datetime, at_once: float) -> None:
        """Post what the patient pays of what is due: at once, later, in part with the rest written off, or never."""
        if due <= 0:
            return
        chance = self._random.random()
        if chance < at_once:
            self._post("payment", None, due, since + minutes(4))
            return
        later = since + days(12 + int(self._random.random() * 80)) + minutes(60)
        chance = self._random.random()
        if chance < 0.62:
            self._post("payment", None, due, later)
        elif chance < 0.74 and due > 2 * _SMALL:
            self._post("payment", None, due // 2, later)
            if chance < 0.70:
                self._post("payment", None, due - due // 2, later + days(30))
        elif chance < 0.80 and due > _SMALL:
            rest = 100 + int(self._random.random() * 800)
            self._post("payment", None, due - rest, later)
            self._post("adjustment", None, rest, later + days(45), "", SMALL_BALANCE)
        elif due < _SMALL:
            self._post("adjustment", None, due, later + days(45), "", SMALL_BALANCE)

    def _post(
        self,
        kind: Literal["payment", "adjustment"],
        payer: str | None,
        amount: int,
        at: datetime,
        group_code: str = "",
        reason_code: str = "",
    ) -> None:
        if at > END_INSTANT:
            return
        self._entries += 1
        visit = self._visit
        self._books.entries.append(
            AccountEntry(
                f"{visit.visit_id}-E{self._entries}",
                visit.registration_id,
                visit.site,
                visit.visit_id,
                kind,
                payer,
                amount,
                at,
                group_code,
                reason_code,
            )
        )


def _allowed(services: list[Service], payer: str) -> tuple[int, int]:
    """Return what an insurer allows for services, and how much of that it shares with the patient."""
    table, allowed, shared = ALLOWED[payer], 0, 0
    for code, _, units in services:
        cents = table[code] * units
        allowed += cents
        if code not in FREE:
            shared += cents
    return allowed, shared
