"""Rows of people and programs who may do something here, by what they come in, and why they may."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ForeignKey, LargeBinary
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ehr_pm.organisation.models import Location
from ehr_pm.rows import Kept, Row, key


class PrincipalRow(Row):
    """Somebody or something that can prove who they are."""

    __tablename__ = "principal"

    principal_id: Mapped[UUID] = key()
    name: Mapped[str]
    kind: Mapped[str]
    """person or program."""
    is_administrator: Mapped[bool] = mapped_column(default=False)
    password_hash: Mapped[str | None]
    disabled_at: Mapped[datetime | None]
    totp_secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Sealed by the keyring."""
    totp_last_step: Mapped[int | None]
    must_change_password: Mapped[bool] = mapped_column(default=False)


class AccessToken(Row):
    """A program's token: what opens it is known to the program only."""

    __tablename__ = "access_token"

    token_id: Mapped[UUID] = key()
    principal_id: Mapped[UUID] = mapped_column(ForeignKey("principal.principal_id"))
    name: Mapped[str]
    actions: Mapped[list[str] | None] = mapped_column(ARRAY(TEXT))
    """What it is limited to, of what the program's roles allow; all of that when nothing is named."""
    created_at: Mapped[datetime]
    created_by: Mapped[UUID | None]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]


class BrowserSession(Row):
    """A person's log-in, as long as it lasts."""

    __tablename__ = "browser_session"

    session_id: Mapped[UUID] = key()
    principal_id: Mapped[UUID] = mapped_column(ForeignKey("principal.principal_id"))
    closed_at: Mapped[datetime | None]
    identity_id: Mapped[UUID | None] = mapped_column(ForeignKey("outside_identity.identity_id"))


class OutsideIdentity(Kept, Row):
    """Whom an OpenID provider says somebody is; it opens nothing that an administrator has not linked."""

    __tablename__ = "outside_identity"

    identity_id: Mapped[UUID] = key()
    principal_id: Mapped[UUID] = mapped_column(ForeignKey("principal.principal_id"))
    issuer: Mapped[str]
    claim: Mapped[str]
    """sub, email or preferred_username."""
    value: Mapped[str]
    ended_at: Mapped[datetime | None]


class Licence(Row):
    """Leave of a state to practise."""

    __tablename__ = "staff_licence"

    principal_id: Mapped[UUID] = mapped_column(ForeignKey("staff.principal_id"), primary_key=True)
    state: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(primary_key=True)
    expires_on: Mapped[date | None]


class Staff(Kept, Row):
    """A person who works here."""

    __tablename__ = "staff"

    principal_id: Mapped[UUID] = mapped_column(ForeignKey("principal.principal_id"), primary_key=True)
    practitioner_id: Mapped[UUID]
    """Their Practitioner in FHIR."""
    family: Mapped[str]
    given: Mapped[str]
    npi: Mapped[str | None]
    taxonomy: Mapped[str | None]
    """NUCC code of what they do."""
    supervisor_id: Mapped[UUID | None] = mapped_column(ForeignKey("staff.principal_id"))
    principal: Mapped[PrincipalRow] = relationship(lazy="joined")
    licences: Mapped[list[Licence]] = relationship(
        lazy="selectin", order_by=(Licence.state, Licence.number), cascade="all, delete-orphan"
    )


class RoleAssignment(Kept, Row):
    """A role somebody holds at a location, or in the whole group where none is named, for a time."""

    __tablename__ = "role_assignment"

    assignment_id: Mapped[UUID] = key()
    principal_id: Mapped[UUID] = mapped_column(ForeignKey("principal.principal_id"))
    role: Mapped[str]
    location_id: Mapped[UUID | None] = mapped_column(ForeignKey("location.location_id"))
    valid_from: Mapped[datetime]
    valid_to: Mapped[datetime | None]
    location: Mapped[Location | None] = relationship(lazy="joined")


class CareTeamMember(Kept, Row):
    """Somebody who treats a patient."""

    __tablename__ = "care_team_member"

    member_id: Mapped[UUID] = key()
    patient_id: Mapped[UUID]
    principal_id: Mapped[UUID] = mapped_column(ForeignKey("principal.principal_id"))
    valid_from: Mapped[datetime]
    valid_to: Mapped[datetime | None]


class BrokenGlass(Kept, Row):
    """A chart opened in an emergency; until somebody else has looked at it, a task."""

    __tablename__ = "break_glass_grant"

    grant_id: Mapped[UUID] = key()
    principal_id: Mapped[UUID] = mapped_column(ForeignKey("principal.principal_id"))
    patient_id: Mapped[UUID]
    reason: Mapped[str]
    granted_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    reviewed_at: Mapped[datetime | None]
    reviewed_by: Mapped[UUID | None]
    finding: Mapped[str | None]
    """justified or not justified."""
    note: Mapped[str | None]


class PortalLink(Kept, Row):
    """Whose data a patient, or who acts for one, sees from outside."""

    __tablename__ = "portal_link"

    link_id: Mapped[UUID] = key()
    principal_id: Mapped[UUID] = mapped_column(ForeignKey("principal.principal_id"))
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.patient_id"))
    relation: Mapped[str]
    """self, proxy or third_party."""
    valid_from: Mapped[datetime]
    valid_to: Mapped[datetime | None]
    consent_id: Mapped[UUID | None] = mapped_column(ForeignKey("consent.consent_id"))
    """What lets somebody else see it; they do as long as it stands."""


class PortalInvitation(Kept, Row):
    """A code by which somebody chooses the password of their portal account, once."""

    __tablename__ = "portal_invitation"

    invitation_id: Mapped[UUID] = key()
    principal_id: Mapped[UUID] = mapped_column(ForeignKey("principal.principal_id"))
    code_sha: Mapped[bytes] = mapped_column(LargeBinary)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
