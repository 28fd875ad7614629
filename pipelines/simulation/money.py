"""What the care of the simulated world costs and who pays: charges, claims, remittances. Money is whole cents."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

from pipelines.simulation.world import Code, Policy, Site


@dataclass(frozen=True, slots=True)
class Charge:
    """One service on a patient's account at a practice that does its own books (family practice)."""

    charge_id: str
    registration_id: str
    site: Site
    visit_id: str
    clinician: str
    service: Code
    diagnosis: Code
    units: int
    amount: int
    """Of all units; a credit's is the positive amount it takes back."""
    charged_at: datetime
    credits: str | None = None
    """The charge this one takes back."""


@dataclass(frozen=True, slots=True)
class AccountEntry:
    """Money or a write-off posted to a patient's account at a practice that does its own books."""

    entry_id: str
    registration_id: str
    site: Site
    visit_id: str
    kind: Literal["payment", "adjustment"]
    payer: str | None
    """Key of `group.PAYERS`; None when the patient paid."""
    amount: int
    posted_at: datetime
    group_code: str = ""
    reason_code: str = ""
    """Claim adjustment reason (CARC) of an adjustment."""


@dataclass(frozen=True, slots=True)
class ClaimLine:
    """One service on a claim."""

    number: int
    service: Code
    modifier: str
    units: int
    amount: int
    service_date: date
    diagnosis_pointers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Claim:
    """A professional claim as the billing company sends it to one payer (837P)."""

    claim_id: str
    account_number: str
    """CLM01: the same on the claim to the secondary payer and on a replacement."""
    registration_id: str
    site: Site
    visit_id: str
    clinician: str
    payer: str
    policy: Policy
    sequence: Literal["P", "S"]
    frequency: Literal["1", "7", "8"]
    """Original, replacement, void (CLM05-3)."""
    diagnoses: tuple[Code, ...]
    lines: tuple[ClaimLine, ...]
    sent_at: datetime
    primary_answer: Answer | None = None
    """What the primary payer had decided, on a claim to the secondary."""

    @property
    def amount(self) -> int:
        """Return what is charged."""
        return sum(line.amount for line in self.lines)


@dataclass(frozen=True, slots=True)
class Adjustment:
    """Why a payer pays less than charged (CAS)."""

    group_code: Literal["CO", "PR", "OA", "PI"]
    reason_code: str
    amount: int


@dataclass(frozen=True, slots=True)
class AnsweredLine:
    """A service line as a payer decided it."""

    line: ClaimLine
    paid: int
    adjustments: tuple[Adjustment, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """A payer's decision on a claim (CLP); a reversal has every sign turned."""

    answer_id: str
    account_number: str
    claim_id: str
    payer: str
    status: Literal["1", "2", "4", "22"]
    """CLP02: processed as primary, as secondary, denied, reversal of an earlier payment."""
    payer_control_number: str
    charged: int
    paid: int
    lines: tuple[AnsweredLine, ...]

    @property
    def patient_responsibility(self) -> int:
        """Return the sum of the PR adjustments (CLP05)."""
        return sum(a.amount for line in self.lines for a in line.adjustments if a.group_code == "PR")


@dataclass(frozen=True, slots=True)
class ProviderAdjustment:
    """Money moved outside of any claim (PLB); a positive amount is kept back from the payment."""

    reason_code: Literal["WO", "FB", "72", "L6"]
    reference: str
    amount: int


@dataclass(frozen=True, slots=True)
class Remittance:
    """One payment of a payer and what it is made of (835)."""

    trace_number: str
    payer: str
    site: Site
    written_at: datetime
    paid_on: date
    answers: tuple[Answer, ...]
    provider_adjustments: tuple[ProviderAdjustment, ...]

    @property
    def amount(self) -> int:
        """Return what is paid: the answers' sums less what is kept back."""
        return sum(answer.paid for answer in self.answers) - sum(each.amount for each in self.provider_adjustments)


@dataclass(frozen=True, slots=True)
class EligibilityAnswer:
    """What a payer says about a patient's cover on a day (271)."""

    answer_id: str
    registration_id: str
    site: Site
    payer: str
    policy: Policy
    is_active: bool
    service_date: date
    answered_at: datetime


@dataclass(slots=True)
class Books:
    """All money of a chapter, in no order."""

    charges: list[Charge] = field(default_factory=list)
    entries: list[AccountEntry] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)
    remittances: list[Remittance] = field(default_factory=list)
    eligibility: list[EligibilityAnswer] = field(default_factory=list)
