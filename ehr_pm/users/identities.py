"""Linking staff to whom their organisation's log-in says they are, and ending it; each part of an act."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import func, select, update

from ehr_pm.acts import Act
from ehr_pm.rows import get
from ehr_pm.users import portal
from ehr_pm.users.models import BrowserSession, OutsideIdentity, PrincipalRow
from hub_core.errors import ConflictError, NotFoundError


def link(doing: Act, principal_id: UUID, *, issuer: str, claim: str, value: str) -> OutsideIdentity:
    """Let somebody who works here come in as whom an OpenID provider says they are.

    Raises:
        NotFoundError: if there is no such person.
        ConflictError: if the identity is linked, or they were deactivated, or the account is a portal's.
    """
    row = get(doing.session, PrincipalRow, principal_id, "person")
    if row.kind != "person":
        raise NotFoundError("there is no such person")
    if row.disabled_at is not None:
        raise ConflictError("they were deactivated")
    if portal.is_portal_account(doing.session, principal_id):
        raise ConflictError("this account is a portal's: it has a password of its own")
    identity = OutsideIdentity(principal_id=principal_id, issuer=issuer, claim=claim, value=value)
    doing.add(identity, conflict="this identity is linked to somebody already")
    doing.noted("identity.link", subject=str(principal_id), identity_id=str(identity.identity_id))
    return identity


def unlink(doing: Act, row: OutsideIdentity) -> None:
    """End a link, and the sessions that stand on it.

    Raises:
        ConflictError: if it has ended.
    """
    if row.ended_at is not None:
        raise ConflictError("this link has ended")
    doing.change(row, ended_at=doing.moment)
    standing = (BrowserSession.identity_id == row.identity_id) & BrowserSession.closed_at.is_(None)
    doing.session.execute(update(BrowserSession).where(standing).values(closed_at=func.now()))
    doing.noted("identity.unlink", subject=str(row.principal_id), identity_id=str(row.identity_id))


def of_person(doing: Act, principal_id: UUID) -> list[OutsideIdentity]:
    """Return whom providers say somebody is, as far as it still counts."""
    query = select(OutsideIdentity).where(
        OutsideIdentity.principal_id == principal_id, OutsideIdentity.ended_at.is_(None)
    )
    return list(doing.session.scalars(query.order_by(OutsideIdentity.created_at)))
