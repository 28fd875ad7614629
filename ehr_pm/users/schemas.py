"""What is told of people who work here, of their roles and of programs, checked before anything is written."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Final, Literal, TypeAlias
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from ehr_pm.organisation.schemas import NPI, Name
from hub_core.access import Action

StaffRole: TypeAlias = Literal[
    "administrator",
    "manager",
    "front_desk",
    "medical_assistant",
    "clinician",
    "biller",
    "analyst",
    "privacy_officer",
    "interface",
]
"""Roles that are given; patients and those they trust get theirs with the patient's portal."""
LoginName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,99}$")]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=10, max_length=1000)]
"""Why, in words: longer than a key pressed in haste."""

LONGEST_TOKEN_DAYS: Final = 3650


class _Told(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class NewLicence(_Told):
    """Leave of a state to practise."""

    state: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
    number: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)]
    expires_on: date | None = None


class StaffDetails(_Told):
    """A person who works here."""

    family: Name
    given: Name
    npi: NPI | None = None
    taxonomy: Annotated[str, StringConstraints(pattern=r"^[0-9A-Z]{10}$")] | None = None
    supervisor_id: UUID | None = None
    licences: Annotated[tuple[NewLicence, ...], Field(max_length=60)] = ()

    @model_validator(mode="after")
    def _no_licence_twice(self) -> StaffDetails:
        if len({(each.state, each.number) for each in self.licences}) < len(self.licences):
            raise ValueError("a licence is named twice")
        return self


class NewStaff(StaffDetails):
    """A person who begins to work here."""

    name: LoginName = Field(description="What they log in with.")


class NewRole(_Told):
    """A role somebody gets."""

    role: StaffRole
    location_id: UUID | None = Field(default=None, description="Where; in the whole group when none is named.")
    valid_from: AwareDatetime | None = Field(default=None, description="From now on when it is not said.")
    valid_to: AwareDatetime | None = None

    @model_validator(mode="after")
    def _begins_before_it_ends(self) -> NewRole:
        if self.valid_from and self.valid_to and self.valid_to <= self.valid_from:
            raise ValueError("it ends before it begins")
        return self

    def span(self, now: datetime) -> tuple[datetime, datetime | None]:
        """Return from when until when it is valid, said at this moment."""
        return self.valid_from or now, self.valid_to


class NewProgram(_Told):
    """A program that works here: one role at one place, and a token that ends."""

    name: LoginName
    role: StaffRole
    location_id: UUID | None = Field(default=None, description="Where; in the whole group when none is named.")
    days: int = Field(default=365, ge=1, le=LONGEST_TOKEN_DAYS, description="Days until its token ends by itself.")


class NewToken(_Told):
    """Another token of a program."""

    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._-]{0,99}$")]
    days: int = Field(default=365, ge=1, le=LONGEST_TOKEN_DAYS, description="Days until it ends by itself.")
    actions: tuple[Action, ...] | None = Field(
        default=None, min_length=1, description="All it may do, of what the program's roles allow; else all of that."
    )


class NewPortalUser(_Told):
    """Somebody who is to see a patient in the portal: the patient, who acts for them, or whom they trust."""

    name: LoginName = Field(description="What they log in with.")
    relation: Literal["self", "proxy", "third_party"]
    has_account: bool = Field(default=False, description="They see another patient already, under this name.")
    consent_id: UUID | None = Field(default=None, description="Of an adult patient, to anybody else.")
    until: date | None = Field(default=None, description="The first day on which they see it no more.")


class Emergency(_Told):
    """Why somebody must open a chart that is closed to them."""

    patient_id: UUID
    reason: Reason


class Review(_Told):
    """What somebody found who looked at an opened chart."""

    finding: Literal["justified", "not justified"]
    note: Annotated[str, StringConstraints(max_length=2000)] | None = None


class NewCareTeamMember(_Told):
    """Who treats a patient."""

    patient_id: UUID
    principal_id: UUID
