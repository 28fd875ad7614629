"""What coverages are told, checked before anything is written."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]

LAST_DAY = date(2199, 12, 31)
"""Later ends, such as the 9999 of some cards, mean none and are to be left out."""


class NewCoverage(BaseModel):
    """What pays for a patient's care."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    payer_id: UUID
    rank: int = Field(default=1, ge=1, le=5)
    member_id: Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=80)]
    group_number: Name | None = None
    plan_name: Name | None = None
    relationship: Literal["self", "spouse", "child", "other"] = "self"
    subscriber_family: Name | None = None
    subscriber_given: Name | None = None
    subscriber_birth_date: date | None = None
    starts: date
    ends: date | None = Field(default=None, le=LAST_DAY, description="The last day on which it holds; none is open.")

    @model_validator(mode="after")
    def _names_its_subscriber(self) -> NewCoverage:
        if self.relationship != "self" and not (self.subscriber_family and self.subscriber_given):
            raise ValueError("somebody else's coverage needs the subscriber's name")
        if self.ends is not None and self.ends < self.starts:
            raise ValueError("it ends before it starts")
        return self
