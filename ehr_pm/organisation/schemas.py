"""What the organisation is told, checked before anything is written: NPIs by their digit, zones by their name."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import time
from itertools import pairwise
from typing import Annotated, Literal
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from hub_core.feeds import OWN_SOURCE


def _is_npi(npi: str) -> str:
    """Check the digit that ends an NPI: Luhn over 80840 and the number (45 CFR 162.406, ISO 7812)."""
    doubled = [int(digit) * 2 for digit in reversed(npi[:-1])][::2]
    plain = [int(digit) for digit in reversed(npi[:-1])][1::2]
    total = 24 + sum(sum(divmod(each, 10)) for each in doubled) + sum(plain)
    if (10 - total % 10) % 10 != int(npi[-1]):
        raise ValueError("its last digit does not fit the others; look for a typo")
    return npi


def _is_zone(zone: str) -> str:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError("not an IANA time zone such as America/Chicago") from error
    return zone


def _is_another(source: str) -> str:
    if source.casefold() == OWN_SOURCE:
        raise ValueError("leave it out where this practice is master itself")
    return source


Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
NPI = Annotated[str, StringConstraints(pattern=r"^[0-9]{10}$"), AfterValidator(_is_npi)]
TaxId = Annotated[str, StringConstraints(pattern=r"^[0-9]{9}$")]
Zone = Annotated[str, AfterValidator(_is_zone)]
Source = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100), AfterValidator(_is_another)
]
LocationKey = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]


class _Told(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class NewOrganization(_Told):
    """A legal body of the group."""

    name: Name
    npi: NPI | None = None
    tax_id: TaxId | None = None


class Hours(_Told):
    """When a location is open on one weekday, in its local wall time."""

    weekday: int = Field(ge=1, le=7, description="ISO: Monday is 1")
    opens: time
    closes: time

    @model_validator(mode="after")
    def _opens_before_it_closes(self) -> Hours:
        if self.opens >= self.closes:
            raise ValueError("it closes before it opens")
        return self


def hours_do_not_overlap(hours: Iterable[Hours]) -> bool:
    """Return whether a location is never told twice to be open at the same time."""
    ordered = sorted(hours, key=lambda each: (each.weekday, each.opens))
    return all(one.weekday != other.weekday or other.opens >= one.closes for one, other in pairwise(ordered))


class LocationDetails(_Told):
    """What may change of a place where the group gives care."""

    name: Name
    chart_group_id: UUID | None = None
    place_of_service: Annotated[str, StringConstraints(pattern=r"^[0-9]{2}$")] = "11"
    npi: NPI | None = None
    clia: Annotated[str, StringConstraints(pattern=r"^[0-9]{2}D[0-9]{7}$")] | None = None
    phone: Annotated[str, StringConstraints(max_length=40)] | None = None
    address_line: Name | None = None
    city: Name | None = None
    state: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] | None = None
    postal_code: Annotated[str, StringConstraints(pattern=r"^[0-9]{5}(-[0-9]{4})?$")] | None = None
    sensitivity: Literal["42cfr2"] | None = Field(default=None, description="A programme under 42 CFR Part 2.")


class NewLocation(LocationDetails):
    """A place where the group gives care; key and zone stay as they are, for visits are written down by them."""

    key: LocationKey
    organization_id: UUID
    zone: Zone
    hours: tuple[Hours, ...] = ()

    @model_validator(mode="after")
    def _hours_do_not_overlap(self) -> NewLocation:
        if not hours_do_not_overlap(self.hours):
            raise ValueError("its hours overlap")
        return self


class NewDepartment(_Told):
    """A part of a location."""

    location_id: UUID
    name: Name


class NewRoom(_Told):
    """A room or a device that can be booked."""

    location_id: UUID
    kind: Literal["room", "device"] = "room"
    name: Name
    capacity: int = Field(default=1, ge=1, le=100)


class NewPayer(_Told):
    """Who pays for care."""

    number: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
    name: Name
    filing_indicator: Annotated[str, StringConstraints(pattern=r"^[0-9A-Z]{1,2}$")]
    answers_eligibility: bool = True
    takes_claims: bool = True
    sends_remittances: bool = True


class Masters(_Told):
    """Who is master at a location: a feed's source, or nobody else."""

    patients_from: Source | None = None
    schedule_from: Source | None = None
    flow_is_ours: bool = False
    """Whether patients are checked in here also for visits that another source schedules."""

    @model_validator(mode="after")
    def _patients_come_with_their_visits(self) -> Masters:
        if self.schedule_from is not None and self.patients_from != self.schedule_from:
            raise ValueError("who schedules the visits must keep the patients too: their visits name them")
        return self
