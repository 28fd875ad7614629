"""Tokens of programs: given, listed and ended; each part of an act. What a token opens is known to its program only."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import select

from ehr_pm.rows import get
from ehr_pm.users.models import AccessToken, PrincipalRow
from ehr_pm.users.repository import access_of
from hub_core import principals
from hub_core.access import holds
from hub_core.database import driver_connection
from hub_core.errors import ConflictError, NotFoundError
from hub_core.principals import IssuedToken, Principal

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from ehr_pm.acts import Act
    from ehr_pm.users.schemas import NewToken


def all_programs(session: Session) -> list[PrincipalRow]:
    """Return the programs that are known, by name."""
    query = select(PrincipalRow).where(PrincipalRow.kind == "program")
    return list(session.scalars(query.order_by(PrincipalRow.name)))


def tokens(session: Session, principal_id: UUID) -> list[AccessToken]:
    """Return the tokens of a program, ended ones too, the newest first."""
    query = select(AccessToken).where(AccessToken.principal_id == principal_id)
    return list(session.scalars(query.order_by(AccessToken.created_at.desc(), AccessToken.token_id)))


def issue_token(doing: Act, principal_id: UUID, told: NewToken) -> IssuedToken:
    """Return another token of a program.

    Raises:
        NotFoundError: if there is no such program.
        ConflictError: if it was deactivated, has a token of this name, or may not itself do what the token should.
    """
    row = get(doing.session, PrincipalRow, principal_id, "program")
    if row.kind != "program":
        raise NotFoundError("there is no such program")
    if row.disabled_at is not None:
        raise ConflictError("it was deactivated")
    if any(each.name == told.name and _counts(doing, each) for each in tokens(doing.session, principal_id)):
        raise ConflictError("it has a token of this name")
    driver = driver_connection(doing.session.connection())
    access = access_of(driver, Principal(principal_id, row.name, "program", row.is_administrator))
    if not all(holds(access, action) for action in told.actions or ()):
        raise ConflictError("a token cannot do what no role of its program allows")
    issued = principals.add_token(
        driver,
        principal_id,
        issued_by=doing.actor.principal_id,
        lifetime=timedelta(days=told.days),
        name=told.name,
        actions=frozenset(told.actions) if told.actions else None,
    )
    doing.noted("token.issue", subject=str(principal_id), token_id=str(issued.token_id), token_name=told.name)
    return issued


def revoke_token(doing: Act, row: AccessToken) -> None:
    """End a token.

    Raises:
        ConflictError: if it has ended.
    """
    if row.revoked_at is not None:
        raise ConflictError("this token was revoked before")
    doing.change(row, revoked_at=doing.moment)
    doing.noted("token.revoke", subject=str(row.principal_id), token_id=str(row.token_id))


def _counts(doing: Act, row: AccessToken) -> bool:
    return row.revoked_at is None and (row.expires_at is None or row.expires_at > doing.moment)
