"""Accounts of patients, and of those whom they or the law let see their chart; each function is part of an act.

A patient sees themselves. Anybody else sees an adult's chart as long as a consent of the patient stands, and a minor's
until the minor comes of age; what is confidential stays hidden from them (`hub_core.access`). Who works here has no
portal account under the same name: what somebody sees as a patient must not follow them to their desk.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from sqlalchemy import func, or_, select, update

from ehr_pm.patients.models import Consent, Patient
from ehr_pm.rows import get
from ehr_pm.users.models import BrowserSession, PortalInvitation, PortalLink, PrincipalRow, RoleAssignment, Staff
from hub_core import invitations, principals
from hub_core.database import driver_connection
from hub_core.errors import ConflictError

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

    from ehr_pm.acts import Act
    from ehr_pm.users.schemas import NewPortalUser

INVITATION_LASTS: Final = timedelta(days=7)
OF_AGE: Final = 18
"""Years from which a person decides alone who sees their chart, in nearly every state."""


def open_portal(doing: Act, patient: Patient, told: NewPortalUser) -> tuple[PortalLink, str | None]:
    """Let somebody see a patient in the portal; return the code they are invited by, where their account is new.

    Raises:
        NotFoundError: if the consent is not known.
        ConflictError: if the name is another's, the patient has an account, or nothing lets them see it.
    """
    known = _account(doing.session, told.name)
    if known is not None and not told.has_account:
        raise ConflictError("there is an account of this name; if it is theirs, say so")
    if known is None and told.has_account:
        raise ConflictError("there is no portal account of this name")
    if told.relation == "self" and any(each.relation == "self" for each in links(doing, patient.patient_id)):
        raise ConflictError("the patient has an account already")
    until, consent_id = _allowed(doing, patient, told)
    principal_id = known.principal_id if known else principals.add_invited(_driver(doing), told.name)
    row = PortalLink(
        principal_id=principal_id,
        patient_id=patient.patient_id,
        relation=told.relation,
        valid_from=doing.moment,
        valid_to=until,
        consent_id=consent_id,
    )
    doing.add(row)
    _say(doing, row, "portal.open", patient)
    return row, None if known else invite(doing, row, patient)


def invite(doing: Act, row: PortalLink, patient: Patient) -> str:
    """Return another code by which the holder of a portal account chooses a password; codes before it end.

    Raises:
        ConflictError: if they see the patient no more, or their account was closed.
    """
    _refuse_ended(doing, row)
    if get(doing.session, PrincipalRow, row.principal_id, "account").disabled_at is not None:
        raise ConflictError("their account was closed")
    revoke_invitations(doing, row.principal_id)
    code = invitations.new_code()
    doing.add(
        PortalInvitation(
            principal_id=row.principal_id,
            code_sha=invitations.sha_of(code),
            expires_at=doing.moment + INVITATION_LASTS,
        )
    )
    _say(doing, row, "portal.invite", patient)
    return code


def close_portal(doing: Act, row: PortalLink, patient: Patient) -> None:
    """Let somebody see a patient no more; who sees nobody any more is logged out, and their code opens nothing.

    Raises:
        ConflictError: if it has ended.
    """
    _refuse_ended(doing, row)
    doing.change(row, valid_to=max(row.valid_from, doing.moment))
    query = select(PortalLink.link_id).where(PortalLink.principal_id == row.principal_id, _counts(doing.moment))
    if doing.session.scalars(query).first() is None:
        revoke_invitations(doing, row.principal_id)
        of_them = (BrowserSession.principal_id == row.principal_id) & BrowserSession.closed_at.is_(None)
        doing.session.execute(update(BrowserSession).where(of_them).values(closed_at=func.now()))
    _say(doing, row, "portal.close", patient)


def revoke_invitations(doing: Act, principal_id: UUID) -> None:
    """Let no code that somebody was given open anything any more."""
    open_ones = PortalInvitation.used_at.is_(None) & PortalInvitation.revoked_at.is_(None)
    doing.session.execute(
        update(PortalInvitation)
        .where(PortalInvitation.principal_id == principal_id, open_ones)
        .values(revoked_at=doing.moment, changed_at=doing.moment, changed_by=doing.actor.principal_id)
    )


def links(doing: Act, patient_id: UUID) -> list[PortalLink]:
    """Return who sees a patient in the portal now, the first first."""
    query = select(PortalLink).where(PortalLink.patient_id == patient_id, _counts(doing.moment))
    return list(doing.session.scalars(query.order_by(PortalLink.valid_from, PortalLink.link_id)))


def is_portal_account(session: Session, principal_id: UUID) -> bool:
    """Return whether an account is, or was, one of the portal."""
    query = select(PortalLink.link_id).where(PortalLink.principal_id == principal_id)
    return session.scalars(query.limit(1)).first() is not None


def _account(session: Session, name: str) -> PrincipalRow | None:
    """Return the portal account of a name.

    Raises:
        ConflictError: if the name is that of somebody who works here, of a program, or of a closed account.
    """
    row = session.scalars(select(PrincipalRow).where(func.lower(PrincipalRow.name) == name.lower())).first()
    if row is None:
        return None
    works = select(RoleAssignment.assignment_id).where(RoleAssignment.principal_id == row.principal_id).limit(1)
    is_ours = session.get(Staff, row.principal_id) is not None or session.scalars(works).first() is not None
    if is_ours or row.is_administrator or row.disabled_at or not is_portal_account(session, row.principal_id):
        raise ConflictError("this name is taken")
    return row


def _allowed(doing: Act, patient: Patient, told: NewPortalUser) -> tuple[datetime | None, UUID | None]:
    """Return until when somebody may see a patient, and by which consent."""
    until = None if told.until is None else datetime.combine(told.until, time(), UTC)
    if until is not None and until <= doing.moment:
        raise ConflictError("it ends before it begins")
    if told.relation == "self":
        return until, None
    of_age = datetime.combine(birthday(patient.birth_date, OF_AGE), time(), UTC)
    if of_age > doing.moment:
        return min(until or of_age, of_age), None
    if told.consent_id is None:
        raise ConflictError("an adult's chart is shown to somebody else with the patient's consent only")
    consent = get(doing.session, Consent, told.consent_id, "consent")
    is_right = (consent.patient_id, consent.kind, consent.state) == (patient.patient_id, "portal-access", "given")
    if not is_right or (consent.expires_on is not None and consent.expires_on < doing.moment.date()):
        raise ConflictError("this consent does not let anybody see the patient's chart")
    return until, consent.consent_id


def birthday(birth_date: date, years: int) -> date:
    """Return the day on which somebody becomes so old; born on a leap day, the first of March."""
    try:
        return birth_date.replace(year=birth_date.year + years)
    except ValueError:
        return date(birth_date.year + years, 3, 1)


def _counts(moment: datetime) -> ColumnElement[bool]:
    return or_(PortalLink.valid_to.is_(None), PortalLink.valid_to > moment)


def _refuse_ended(doing: Act, row: PortalLink) -> None:
    if row.valid_to is not None and row.valid_to <= doing.moment:
        raise ConflictError("they see this patient no more")


def _say(doing: Act, row: PortalLink, action: str, patient: Patient) -> None:
    doing.noted(
        action,
        patient_id=patient.patient_id,
        location=patient.home_location.key,
        subject=str(row.principal_id),
        relation=row.relation,
    )


def _driver(doing: Act) -> Any:
    doing.flush()
    return driver_connection(doing.session.connection())
