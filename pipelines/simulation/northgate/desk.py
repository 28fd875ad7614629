"""The desk of one clinician of northgate: what is meant to be done for that clinician's patients, and what is true."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from random import Random
from typing import Literal, TypeAlias

from pipelines.simulation.group import PAYERS
from pipelines.simulation.northgate.diary import Diary
from pipelines.simulation.northgate.facts import Booking, Coverage, Intention, Merge, Month, Record
from pipelines.simulation.northgate.patients import Newcomer
from pipelines.simulation.northgate.place import DESK, MANAGER, MINUTES, PRIVACY
from pipelines.simulation.people.mistakes import misspell
from pipelines.simulation.world import Demographics, Person, Policy

Outcome: TypeAlias = Literal["kept", "missed", "cancelled"]
"""What becomes of a visit."""


class Desk:
    """Tells a month of one clinician; every method adds what is meant to be done, and what is then true."""

    def __init__(self, random: Random, clinician: str) -> None:
        """Begin a month in which nothing has happened."""
        self.random = random
        self.clinician = clinician
        self.diary = Diary(random)
        self.month = Month()

    def intend(self, at: datetime, by: str, do: str, told: Mapping[str, object], refused: str = "") -> None:
        """Mean to do something."""
        key = f"{self.clinician}-{len(self.month.intentions) + 1:05d}"
        self.month.intentions.append(Intention(key, at, self.clinician, by, do, told, refused))

    def register(self, at: datetime, newcomer: Newcomer, despite: str = "") -> Record:
        """Register somebody; told that somebody like them is there, the desk goes on, as this is another record."""
        number = f"{self.clinician[:1].upper()}{len(self.month.records) + 1:04d}"
        record = Record(number, newcomer.person.person_id, newcomer.stated, newcomer.exchange_number)
        self.month.records.append(record)
        told = {"record": number, "person": _person(newcomer.stated, newcomer.exchange_number)}
        self.intend(at, DESK, "register", told | ({"despite": despite} if despite else {}))
        return record

    def recognise(self, at: datetime, record: Record) -> None:
        """Begin to register somebody who is there already, misspelt; shown who looks like them, the desk sees it."""
        stated = _person(record.stated, "") | {"given": misspell(self.random, record.stated.given)}
        self.intend(at, DESK, "register", {"record": record.record_id, "person": stated, "known": True})

    def cover(self, at: datetime, record: Record, policies: tuple[Policy, ...], families: dict[str, Person]) -> None:
        """Write down what pays for somebody."""
        for policy in policies:
            coverage = Coverage(f"{record.record_id}C{policy.rank}", policy)
            self.month.coverages.append(coverage)
            told = {"record": record.record_id, "coverage": coverage.coverage_id}
            self.intend(at, DESK, "cover", told | _coverage(policy, families[policy.subscriber_id].truth))
            record.covered.append((at, policy))

    def book(self, at: datetime, record: Record, visit_type: str, days: list[date]) -> Booking | None:
        """Book a visit on the first of these days that has a time; payers are asked about that day."""
        starts = self.diary.take(days, visit_type)
        if starts is None:
            return None
        booking = self._booking(at, record, visit_type, starts)
        self.intend(at, DESK, "book", {"record": record.record_id} | _wanted(booking))
        return booking

    def move(self, at: datetime, old: Booking, record: Record, days: list[date]) -> Booking | None:
        """Move a visit to the first of these days that has a time."""
        starts = self.diary.take(days, old.visit_type)
        if starts is None:
            return None
        old.status = "cancelled"
        booking = self._booking(at, record, old.visit_type, starts)
        told = {"from": old.booking_id, "record": record.record_id, "reason": "patient asked for another day"}
        self.intend(at, DESK, "move", told | _wanted(booking))
        return booking

    def follow(self, booking: Booking, booked_at: datetime, outcome: Outcome) -> None:
        """Tell what becomes of a visit."""
        starts, told = booking.starts, {"booking": booking.booking_id}
        day_before = max(booked_at + timedelta(minutes=2), starts - timedelta(days=1))
        if outcome == "cancelled":
            self.intend(day_before, DESK, "cancel", told | {"reason": "patient cannot come"})
            booking.status = "cancelled"
        elif outcome == "missed":
            self.intend(starts + timedelta(minutes=30), MANAGER, "no-show", told)
            booking.status = "noshow"
        elif outcome == "kept":
            if self.random.random() < 0.4:
                self.intend(day_before, DESK, "confirm", told)
            self._keep(booking)
            booking.status = "fulfilled"

    def merge(self, at: datetime, survivor: Record, merged: Record, reason: str, parted_at: datetime | None) -> None:
        """Make one record of two; where that was a mistake, take it back."""
        merge = Merge(f"{merged.record_id}M", is_standing=parted_at is None)
        self.month.merges.append(merge)
        told = {"merge": merge.merge_id, "survivor": survivor.record_id, "merged": merged.record_id, "reason": reason}
        self.intend(at, PRIVACY, "merge", told)
        if parted_at is None:
            merged.merged_into = survivor.record_id
        else:
            self.intend(parted_at, PRIVACY, "part", {"merge": merge.merge_id})

    def _keep(self, booking: Booking) -> None:
        """Let somebody come: the clinician begins the visit, the manager enters the rest."""
        random, starts = self.random, booking.starts
        arrived = starts - timedelta(minutes=random.randrange(2, 12))
        begun = starts + timedelta(minutes=random.randrange(0, 9))
        over = begun + timedelta(minutes=MINUTES[booking.visit_type] - random.randrange(0, 6))
        for at, by, do in (
            (arrived, MANAGER, "arrive"),
            (arrived + timedelta(minutes=1), MANAGER, "room"),
            (begun, self.clinician, "begin"),
            (over, MANAGER, "check-out"),
        ):
            self.intend(at, by, do, {"booking": booking.booking_id})

    def _booking(self, at: datetime, record: Record, visit_type: str, starts: datetime) -> Booking:
        number = f"{self.clinician[:1].upper()}B{len(self.month.bookings) + 1:04d}"
        booking = Booking(number, record.record_id, self.clinician, visit_type, at, starts)
        self.month.bookings.append(booking)
        return booking


def _wanted(booking: Booking) -> dict[str, object]:
    return {
        "booking": booking.booking_id,
        "visit_type": booking.visit_type,
        "clinician": booking.clinician,
        "starts": booking.starts.isoformat(timespec="minutes"),
    }


def _person(stated: Demographics, exchange_number: str) -> dict[str, object]:
    """Return who somebody says they are; what they do not say is left out."""
    address = stated.address
    told: dict[str, object] = {
        "family": stated.family,
        "given": stated.given,
        "middle": stated.middle,
        "suffix": stated.suffix,
        "birth_date": stated.birth_date.isoformat(),
        "gender": stated.gender,
        "race": stated.race,
        "ethnicity": stated.ethnicity,
        "language": stated.language,
        "phone": stated.phone,
        "email": stated.email,
        "address": {
            "line": address.line,
            "city": address.city,
            "state": address.state,
            "postal_code": address.postal_code,
        },
        "exchange_number": exchange_number,
    }
    return {name: value for name, value in told.items() if value}


def _coverage(policy: Policy, subscriber: Demographics) -> dict[str, object]:
    told: dict[str, object] = {
        "payer": PAYERS[policy.payer].payer_id,
        "rank": policy.rank,
        "member_id": policy.member_id,
        "group_number": policy.group_number,
        "relationship": policy.relationship,
        "starts": policy.starts.isoformat(),
        "ends": policy.ends.isoformat() if policy.ends else "",
    }
    if policy.relationship != "self":
        told |= {"subscriber": {"family": subscriber.family, "given": subscriber.given}}
    return {name: value for name, value in told.items() if value}
