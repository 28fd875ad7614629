"""What the simulated systems do wrong on purpose: send twice, late, out of order, broken, or by a clock set wrong.

Each fault hits one message and no message has two, so that each can be found and counted. Whatever is broken is sent
again, right, a little later: faults change what a feed looks like, never what the house knows in the end.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random

from pipelines.simulation.facts import fact
from pipelines.simulation.feeds import SimulatedFeed
from pipelines.simulation.hl7v2.writing import Stamp
from pipelines.simulation.sending import Sent
from pipelines.simulation.world import Registration, Visit

_SHARES = {"repeated": 0.003, "out_of_order": 0.002, "late": 0.001, "rejected": 0.001}
_SHARE_MISDATED = 0.001
_FEWEST = 40
"""Messages of a feed below which nothing is done wrong: too few to hide a fault among."""
_TRIES = 60
_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing done wrong."""

    kind: str
    """As the house's findings call it."""
    control_id: str
    """Of the message; the number of the line in an export's file."""
    subject: str


@fact(frozen=True, slots=True)
class Arrival:
    """One message and when it arrives, which is when it was sent unless something goes wrong on the way."""

    at: datetime
    sent: Sent
    is_repeat: bool = False
    refused: int = 0
    """How many of its records the house cannot read."""


@dataclass(slots=True)
class Delivery:
    """What arrives by one feed, in the order it arrives, and what was done wrong to it."""

    arrivals: list[Arrival]
    faults: list[Fault] = field(default_factory=list)


def misdated(visits: Iterable[Visit], registrations: dict[str, Registration], random: Random) -> list[str]:
    """Return the hospital's short visits whose only message is written by a clock hours ahead.

    They begin in the middle of the day, so that the wrong times still name the right day, and their patients are known
    to the hospital unchanged for days.
    """
    candidates = [
        visit.visit_id
        for visit in visits
        if visit.site == "hospital"
        and visit.visit_class == "EMER"
        and visit.ended_at is not None
        and not visit.is_cancelled
        and visit.ended_at - visit.started_at < timedelta(hours=3)
        and 12 <= visit.started_at.hour < 19
        and all(abs(since - visit.started_at) > 3 * _DAY for since, _ in registrations[visit.registration_id].stated)
    ]
    wanted = max(1, round(len(candidates) * _SHARE_MISDATED * 4))
    return random.sample(candidates, min(wanted, len(candidates)))


def deliver(
    feed: SimulatedFeed, messages: Iterable[Sent], random: Random, misdated_visits: Iterable[str] = ()
) -> Delivery:
    """Return how the messages of an HL7 feed, given in the order they are sent, arrive."""
    return _Carrier(feed, list(messages), random, frozenset(misdated_visits)).deliver()


class _Carrier:
    """Takes the messages of one feed of one chapter to the house, not always faultlessly."""

    def __init__(
        self, feed: SimulatedFeed, messages: list[Sent], random: Random, misdated_visits: frozenset[str]
    ) -> None:
        self._feed = feed
        self._messages = messages
        self._times = [each.sent_at for each in messages]
        self._random = random
        self._stamp = Stamp(feed)
        self._delivery = Delivery([])
        self._misdated = misdated_visits
        self._taken = {number for number, each in enumerate(messages) if each.subject in misdated_visits}
        """Messages that have a fault already, or must have none because they bear witness to another's."""

    def deliver(self) -> Delivery:
        """Choose the faulty messages, then let everything arrive."""
        wrong: dict[int, list[Arrival]] = {}
        if len(self._messages) >= _FEWEST:
            for kind, share in _SHARES.items():
                for _ in range(max(1, round(len(self._messages) * share))):
                    self._go_wrong(kind, wrong)
        for number in sorted(self._taken):
            if self._messages[number].subject in self._misdated:
                self._note("event_after_message", self._messages[number])
        arrivals = (wrong.get(number) or [Arrival(each.sent_at, each)] for number, each in enumerate(self._messages))
        self._delivery.arrivals = sorted((each for some in arrivals for each in some), key=lambda each: each.at)
        return self._delivery

    def _go_wrong(self, kind: str, wrong: dict[int, list[Arrival]]) -> None:
        for _ in range(_TRIES):
            number = self._random.randrange(len(self._messages))
            if number not in self._taken and (arrivals := self._wrong(kind, number)):
                self._taken.add(number)
                wrong[number] = arrivals
                self._note(kind, self._messages[number])
                return

    def _wrong(self, kind: str, number: int) -> list[Arrival]:
        """Return how a message arrives with a fault of a kind; nothing where it cannot have it."""
        sent = self._messages[number]
        if kind == "repeated":
            again = sent.sent_at + timedelta(seconds=self._random.randrange(20, 900))
            return [Arrival(sent.sent_at, sent), Arrival(again, sent, is_repeat=True)]
        if kind == "out_of_order":
            return self._overtaken(number, sent.sent_at + _SECOND, timedelta())
        if kind == "late":
            delay = timedelta(seconds=self._random.randrange(86_400, 3 * 86_400))
            return self._overtaken(number, sent.sent_at + _DAY + _SECOND, delay)
        return self._broken(number)

    def _overtaken(self, number: int, after: datetime, delay: timedelta) -> list[Arrival]:
        """Return a message that arrives when one sent at `after` or later has; that one must have no fault itself."""
        sent = self._messages[number]
        witness = bisect_right(self._times, after - _SECOND)
        if witness >= len(self._messages) or witness in self._taken:
            return []
        at = max(self._times[witness] + _SECOND, sent.sent_at + delay)
        if not delay and at - sent.sent_at >= _DAY - timedelta(minutes=1):
            return []
        self._taken.add(witness)
        return [Arrival(at, sent)]

    def _broken(self, number: int) -> list[Arrival]:
        """Return a message no house can read, and the same put right, before anything else is said of its subject."""
        sent = self._messages[number]
        again = sent.sent_at + timedelta(seconds=self._random.randrange(60, 1200))
        if again.astimezone(self._feed.practice.zone).fold:
            return []
        later = number + 1
        while later < len(self._messages) and self._times[later] <= again:
            if self._messages[later].subject == sent.subject:
                return []
            later += 1
        broken = replace(sent, body=_break(sent.body, self._random))
        repaired = replace(sent, sent_at=again, body=_sent_again(sent.body, self._stamp(again)))
        return [Arrival(sent.sent_at, broken, refused=1), Arrival(again, repaired)]

    def _note(self, kind: str, sent: Sent) -> None:
        self._delivery.faults.append(Fault(kind, control_id(sent.body), sent.subject))


def control_id(body: bytes) -> str:
    """Return MSH-10 of a message."""
    return body.split(b"|", 10)[9].decode()


def _break(body: bytes, random: Random) -> bytes:
    """Return a message cut off before its patient, without the patient's number, or without its type."""
    chance = random.random()
    head, pid, rest = body.partition(b"\rPID|")
    if chance < 0.4:
        return head + b"\r"
    if chance < 0.7:
        fields = rest.split(b"|", 3)
        return head + pid + b"|".join((fields[0], fields[1], b"", fields[3]))
    fields = body.split(b"|", 9)
    return b"|".join((*fields[:8], b"", fields[9]))


def _sent_again(body: bytes, stamp: str) -> bytes:
    """Return a message sent again as a new one: its own time, its own control id."""
    fields = body.split(b"|", 10)
    fields[6], fields[9] = stamp.encode(), fields[9] + b"R"
    return b"|".join(fields)
