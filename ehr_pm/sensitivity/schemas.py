"""What is told of sensitivity, checked before anything is written."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from hub_core.sensitivity import Kind

Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=500)]


class _Told(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class NewTag(_Told):
    """What is sensitive, how, and why."""

    kind: Kind
    reason: Reason
    resource_type: Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Za-z]{1,39}$")] | None = Field(
        default=None, description="One record; all of the patient's where none is named."
    )
    resource_id: UUID | None = None

    @model_validator(mode="after")
    def _names_a_record_or_none(self) -> NewTag:
        if (self.resource_type is None) != (self.resource_id is None):
            raise ValueError("a record is named by its type and its id")
        return self


class EndTag(_Told):
    """Why it is sensitive no more, or never was."""

    reason: Reason
