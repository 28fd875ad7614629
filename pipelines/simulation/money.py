"""What the care of the simulated world costs and who pays: charges, claims, remittances. Money is whole cents."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Literal

from pipelines.simulation.facts import fact
from pipelines.simulation.world import Code, Policy, Site

_END_OF_DAY = time(23, 59, 59)


@fact(frozen=True, slots=True)
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
    """When it was made (FT1-4); its local day is the day of service, a credit's the day it was taken back."""
    credits: str | None = None
    """The charge this one takes back."""
    payer: str | None = None
    """Key of `group.PAYERS` whose cover the account names (IN1, FT1-14); None when the patient pays all."""
    modifier: str = ""


@fact(frozen=True, slots=True)
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
    """Why an adjustment was made: a claim adjustment reason (CARC) when an insurer posted it, else our own word."""


@fact(frozen=True, slots=True)
class ClaimLine:
    """One service on a claim."""

    number: int
    service: Code
    modifier: str
    units: int
    amount: int
    service_date: date
    diagnosis_pointers: tuple[int, ...]


@fact(frozen=True, slots=True)
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
    other_policy: Policy | None = None
    """The patient's other cover: the secondary's on a claim to the primary, and the other way round."""
    primary_answer: Answer | None = None
    """What the primary payer had decided, on a claim to the secondary."""
    replaces: str = ""
    """The payer's number of the answer to the claim this one replaces (REF*F8)."""

    @property
    def amount(self) -> int:
        """Return what is charged."""
        return sum(line.amount for line in self.lines)

    @property
    def named_as_of(self) -> datetime:
        """Return as of when the patient is named: every claim of an account, as the practice knew them on the day."""
        return datetime.combine(self.lines[0].service_date, _END_OF_DAY, UTC)


@fact(frozen=True, slots=True)
class Adjustment:
    """Why a payer pays less than charged (CAS)."""

    group_code: Literal["CO", "PR", "OA", "PI"]
    reason_code: str
    amount: int


@fact(frozen=True, slots=True)
class AnsweredLine:
    """A service line as a payer decided it."""

    line: ClaimLine
    paid: int
    adjustments: tuple[Adjustment, ...]
    remark: str = ""
    """Remittance advice remark (RARC), where a denial needs one."""


@fact(frozen=True, slots=True)
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
    """None when the claim was decided as a whole."""
    paid_on: date
    frequency: Literal["1", "7"] = "1"
    """Of the claim that is answered (CLP09)."""
    adjustments: tuple[Adjustment, ...] = ()
    """Those of a claim decided as a whole."""
    remark: str = ""
    corrects: str = ""
    """The payer's number of the earlier answer that this one puts right (REF*F8)."""

    @property
    def all_adjustments(self) -> Iterator[tuple[AnsweredLine | None, Adjustment]]:
        """Yield every adjustment with the line it stands at, none for one of the claim."""
        for adjustment in self.adjustments:
            yield None, adjustment
        for line in self.lines:
            for adjustment in line.adjustments:
                yield line, adjustment

    @property
    def patient_responsibility(self) -> int:
        """Return the sum of the PR adjustments (CLP05)."""
        return sum(adjustment.amount for _, adjustment in self.all_adjustments if adjustment.group_code == "PR")


@fact(frozen=True, slots=True)
class ProviderAdjustment:
    """Money moved outside of any claim (PLB); a positive amount is kept back from the payment."""

    reason_code: Literal["WO", "FB", "72", "L6"]
    reference: str
    amount: int


@fact(frozen=True, slots=True)
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


@fact(frozen=True, slots=True)
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
    refusal: str = ""
    """Why the payer says nothing about the cover (AAA03); empty when it does."""


@dataclass(slots=True)
class Books:
    """All money of a chapter, in no order."""

    charges: list[Charge] = field(default_factory=list)
    entries: list[AccountEntry] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)
    remittances: list[Remittance] = field(default_factory=list)
    eligibility: list[EligibilityAnswer] = field(default_factory=list)
