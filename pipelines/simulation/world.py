"""What happens in the simulated world, as plain facts without a format: people, their records, their care, its money.

Instants are aware and in UTC; money is whole cents. Every fact has a key of its own that is unique in the whole world.
Codes and addresses, by which much is looked up, are tuples: those hash fast.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Literal, NamedTuple, TypeAlias

from pipelines.simulation.facts import fact

Site: TypeAlias = Literal["family-practice", "cardiology", "pediatrics", "hospital"]
"""Who keeps a record: three locations of the group, and the hospital near by."""

Gender: TypeAlias = Literal["female", "male", "unknown"]
VisitClass: TypeAlias = Literal["AMB", "EMER", "IMP", "VR"]
"""HL7 v3 ActCode: ambulatory, emergency, inpatient, virtual."""


class Code(NamedTuple):
    """A code of a real code system, with a short label of our own (none for CPT, whose text is licensed)."""

    system: Literal["ICD-10-CM", "LOINC", "RxNorm", "CVX", "HCPCS", "CPT"]
    code: str
    label: str = ""


class Address(NamedTuple):
    """Where somebody lives."""

    line: str
    city: str
    state: str
    postal_code: str


@fact(frozen=True, slots=True)
class Demographics:
    """What a system says a person is; with its mistakes, it need not be true."""

    family: str
    given: str
    middle: str
    suffix: str
    gender: Gender
    birth_date: date
    address: Address
    phone: str
    email: str
    ssn: str
    """Nine digits beginning with 9, where none is issued; empty if not given."""
    race: str
    """OMB category of CDC's race and ethnicity code set, e.g. 2106-3; empty if not given."""
    ethnicity: str
    """2135-2 or 2186-5; empty if not given."""
    language: str
    """BCP 47, e.g. en, es."""
    deceased_on: date | None = None


@fact(frozen=True, slots=True)
class Person:
    """A human being, as they truly are at the end of the simulated time."""

    person_id: str
    household: int
    truth: Demographics
    mother_id: str | None
    traits: tuple[str, ...] = ()
    """What makes them hard to match: twin, namesake, newborn, married, moved, nickname ..."""


@fact(frozen=True, slots=True)
class Policy:
    """A person's cover by a payer."""

    policy_id: str
    payer: str
    """Key of `group.PAYERS`."""
    rank: Literal[1, 2]
    member_id: str
    """The subscriber's number; a family shares it."""
    group_number: str
    subscriber_id: str
    """The person whose policy it is."""
    relationship: Literal["self", "spouse", "child"]
    starts: date
    ends: date | None


@fact(frozen=True, slots=True)
class Identifier:
    """A number under which a system knows a person."""

    kind: Literal["MR", "PI"]
    """MR: the site's own record number; PI: the regional exchange's number, which some sites share."""
    assigner: str
    value: str


@fact(frozen=True, slots=True)
class Registration:
    """One record of a person at one site. Somebody registered twice has two, until they are merged."""

    registration_id: str
    person_id: str
    site: Site
    mrn: str
    identifiers: tuple[Identifier, ...]
    stated: tuple[tuple[datetime, Demographics], ...]
    """What the site says of the person, from when on; the first is the registration itself."""
    policies: tuple[Policy, ...]
    merged_into: str | None = None
    """The registration that survived."""
    merged_at: datetime | None = None

    def as_of(self, moment: datetime) -> Demographics:
        """Return what the site says of the person at a moment."""
        for since, demographics in reversed(self.stated):
            if since <= moment:
                return demographics
        return self.stated[0][1]


@fact(frozen=True, slots=True)
class Visit:
    """An encounter. Those of pediatrics reach us only as claims."""

    visit_id: str
    registration_id: str
    site: Site
    visit_class: VisitClass
    clinician: str
    """Key of `group.CLINICIANS`."""
    started_at: datetime
    ended_at: datetime | None
    """None: still going on when the simulated time ends."""
    reason: Code
    diagnoses: tuple[Code, ...]
    booking_id: str | None = None
    is_cancelled: bool = False
    """Registered by mistake and taken back (ADT A11)."""
    wards: tuple[tuple[datetime, str], ...] = ()
    """For inpatients: from when on, on which ward."""


@fact(frozen=True, slots=True)
class BookingChange:
    """One step in the life of an appointment."""

    at: datetime
    status: Literal["booked", "rescheduled", "cancelled", "noshow", "fulfilled"]
    starts_at: datetime


@fact(frozen=True, slots=True)
class Booking:
    """An appointment; its last change says what became of it (booked: it is still to come)."""

    booking_id: str
    registration_id: str
    site: Site
    clinician: str
    visit_type: str
    """Key of `group.VISIT_TYPES`."""
    minutes: int
    changes: tuple[BookingChange, ...]

    @property
    def status(self) -> str:
        """Return what became of it; one that was moved is booked."""
        last = self.changes[-1].status
        return "booked" if last == "rescheduled" else last


@fact(frozen=True, slots=True)
class Result:
    """One value a laboratory states."""

    result_id: str
    code: Code
    value: Decimal | str
    unit: str
    """UCUM; empty where the value is a text."""
    low: Decimal | None
    high: Decimal | None
    flag: Literal["", "L", "H", "A"]
    corrected_value: Decimal | str | None = None
    """What the laboratory said later, if the first value was wrong."""

    @property
    def corrected_flag(self) -> Literal["", "L", "H", "A"]:
        """Return the flag of the corrected value; a text keeps the one it had."""
        value = self.corrected_value
        if not isinstance(value, Decimal):
            return self.flag
        if self.low is not None and value < self.low:
            return "L"
        return "H" if self.high is not None and value > self.high else ""


@fact(frozen=True, slots=True)
class Report:
    """A laboratory's report on one order."""

    report_id: str
    registration_id: str
    site: Site
    visit_id: str | None
    clinician: str
    panel: Code
    ordered_at: datetime
    collected_at: datetime
    reported_at: datetime
    results: tuple[Result, ...]
    corrected_at: datetime | None = None


@fact(frozen=True, slots=True)
class Vaccination:
    """One dose given, or refused."""

    vaccination_id: str
    registration_id: str
    site: Site
    visit_id: str | None
    clinician: str
    vaccine: Code
    given_at: datetime
    dose_number: int
    lot_number: str
    manufacturer: str
    """CDC MVX code."""
    is_refused: bool = False


@fact(frozen=True, slots=True)
class Problem:
    """A condition on a site's problem list."""

    problem_id: str
    registration_id: str
    site: Site
    visit_id: str | None
    code: Code
    onset_on: date
    abated_on: date | None
    recorded_at: datetime


@fact(frozen=True, slots=True)
class Prescription:
    """A medication somebody is told to take."""

    prescription_id: str
    registration_id: str
    site: Site
    visit_id: str | None
    clinician: str
    medication: Code
    dosage: str
    started_on: date
    stopped_on: date | None


@fact(frozen=True, slots=True)
class Allergy:
    """What somebody must not be given."""

    allergy_id: str
    registration_id: str
    site: Site
    substance: Code
    recorded_at: datetime


@dataclass(slots=True)
class Chapter:
    """Everything that happens to the people of some households, in no order; money apart."""

    number: int
    persons: list[Person] = field(default_factory=list)
    registrations: dict[str, Registration] = field(default_factory=dict)
    visits: list[Visit] = field(default_factory=list)
    bookings: list[Booking] = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)
    vaccinations: list[Vaccination] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    prescriptions: list[Prescription] = field(default_factory=list)
    allergies: list[Allergy] = field(default_factory=list)
