"""What registration is told, checked before anything is written (US Core 6.1 Patient)."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, TypeAlias
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=500)]
State = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
PostalCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{5}(-[0-9]{4})?$")]
Race: TypeAlias = Literal["1002-5", "2028-9", "2054-5", "2076-8", "2106-3", "2131-1"]
Ethnicity: TypeAlias = Literal["2135-2", "2186-5"]


class _Told(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Identifier(_Told):
    """A number under which others know the patient. Social security numbers are not asked for."""

    system: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    value: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
    kind: Literal["MR", "PI", "DL", "MB", "MC"]


class Address(_Told):
    """Where the patient lives or gets bills."""

    use: Literal["home", "billing"] = "home"
    line: Name
    city: Name
    state: State
    postal_code: PostalCode


class Contact(_Told):
    """How to reach the patient."""

    kind: Literal["mobile", "home", "work", "email"]
    value: Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=200)]
    may_text: bool = False


class Demographics(_Told):
    """Who somebody is."""

    family: Name
    given: Name
    middle: Name | None = None
    suffix: Name | None = None
    preferred_name: Name | None = None
    birth_date: date = Field(ge=date(1880, 1, 1))
    birth_sex: Literal["F", "M", "UNK"] | None = None
    gender: Literal["female", "male", "other", "unknown"]
    races: tuple[Race, ...] = ()
    ethnicity: Ethnicity | None = None
    language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Z]{2})?$")] = "en"
    needs_interpreter: bool = False
    deceased_on: date | None = None


class NewPatient(Demographics):
    """A patient to be registered."""

    home_location_id: UUID
    identifiers: tuple[Identifier, ...] = ()
    addresses: tuple[Address, ...] = ()
    contacts: tuple[Contact, ...] = ()


class NewRelatedPerson(_Told):
    """Somebody who stands by the patient."""

    relationship: Literal["parent", "spouse", "child", "guardian", "sibling", "other", "self"]
    family: Name
    given: Name
    phone: Name | None = None
    is_guarantor: bool = False
    is_emergency_contact: bool = False
    acts_for_patient: bool = False


class NewConsent(_Told):
    """What the patient agreed to, or did not."""

    kind: Literal[
        "treatment",
        "privacy-notice",
        "assignment-of-benefits",
        "exchange",
        "text-messages",
        "part2-disclosure",
        "portal-access",
    ]
    state: Literal["given", "refused", "withdrawn"]
    effective_on: date
    expires_on: date | None = None
    note: Annotated[str, StringConstraints(max_length=2000)] | None = None
