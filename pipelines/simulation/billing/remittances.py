"""What payers decided, gathered into the weekly payments of each, balanced to the cent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date

from pipelines.simulation.billing.calendar import written
from pipelines.simulation.group import ENDS, PAYERS
from pipelines.simulation.money import Answer, Claim, ProviderAdjustment, Remittance


class Ledger:
    """The claims of a chapter, and what payers are going to say and pay on which day."""

    def __init__(self, chapter: int) -> None:
        self.claims: list[Claim] = []
        self._chapter = chapter
        self._control_numbers = 0
        self._answers: dict[tuple[str, date], list[Answer]] = defaultdict(list)
        self._adjustments: dict[str, list[tuple[date, ProviderAdjustment]]] = defaultdict(list)

    def control_number(self, payer: str) -> str:
        """Return a new number of a payer for a decision of its."""
        self._control_numbers += 1
        return f"{PAYERS[payer].payer_id}{self._chapter:04d}{self._control_numbers:06d}"

    def is_open(self, day: date) -> bool:
        """Return whether a day is before the end of the simulated time."""
        return day <= ENDS

    def answer(self, answer: Answer) -> bool:
        """Keep an answer for its remittance; return whether that is written before the simulated time ends."""
        if not self.is_open(answer.paid_on):
            return False
        self._answers[answer.payer, answer.paid_on].append(answer)
        return True

    def adjust(self, payer: str, due_on: date, adjustment: ProviderAdjustment) -> None:
        """Keep money that moves outside of claims for the first remittance on or after a day."""
        self._adjustments[payer].append((due_on, adjustment))

    def remittances(self) -> Iterator[Remittance]:
        """Yield the remittances of each payer in the order of their days."""
        days: dict[str, list[date]] = defaultdict(list)
        for payer, day in self._answers:
            days[payer].append(day)
        for payer in sorted(days):
            yield from self._of_payer(payer, sorted(days[payer]))

    def _of_payer(self, payer: str, days: list[date]) -> Iterator[Remittance]:
        """Yield a payer's remittances; what would be negative is carried into the next (PLB FB in both)."""
        waiting = sorted(self._adjustments[payer], key=lambda each: each[0])
        carried: ProviderAdjustment | None = None
        for number, day in enumerate(days, 1):
            answers = tuple(self._answers[payer, day])
            due = [adjustment for due_on, adjustment in waiting if due_on <= day]
            waiting = waiting[len(due) :]
            if carried:
                due.append(carried)
                carried = None
            trace = f"{PAYERS[payer].payer_id[:5]}{self._chapter:04d}{number:04d}"
            rest = sum(each.paid for each in answers) - sum(each.amount for each in due)
            if rest < 0:
                due.append(ProviderAdjustment("FB", trace, rest))
                carried = ProviderAdjustment("FB", trace, -rest)
            yield Remittance(trace, payer, "pediatrics", written(payer, day), day, answers, tuple(due))
