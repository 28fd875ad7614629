"""Who may change what others may do: whoever runs the places where those others work, and nobody for themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from ehr_pm.users.repository import access_of
from hub_api.security.permission import require_any
from hub_core.access import Subject
from hub_core.errors import AccessDeniedError, NotFoundError
from hub_core.principals import Principal

if TYPE_CHECKING:
    import psycopg

    from ehr_pm.users.models import PrincipalRow
    from hub_api.security.caller import Caller


def require_over(caller: Caller, connection: psycopg.Connection[Any], principal_id: UUID) -> None:
    """Return if the caller runs every place where somebody works; who works nowhere is anybody's who runs a place.

    Raises:
        RefusedError: if not.
        AccessDeniedError: if they are an administrator of the installation, and the caller is not.
        NotFoundError: if they are not known.
    """
    row = connection.execute(
        "SELECT principal_id, name, kind, is_administrator FROM principal WHERE principal_id = %s", (principal_id,)
    ).fetchone()
    if row is None:
        raise NotFoundError("there is no such person or program")
    other = Principal(*row)
    if other.is_administrator and not caller.principal.is_administrator:
        raise AccessDeniedError("only an administrator of the installation does this to another")
    for grant in access_of(connection, other).grants:
        require_any(caller, ("user.write",), Subject(grant.locations or frozenset()))


def is_over(caller: Caller, connection: psycopg.Connection[Any], row: PrincipalRow) -> bool:
    """Return whether the caller runs every place where somebody works."""
    try:
        require_over(caller, connection, row.principal_id)
    except AccessDeniedError:
        return False
    return True


def require_giving(caller: Caller, principal_id: UUID, place: str | None) -> None:
    """Return if the caller may give or take a role at a place, or in the whole group.

    Raises:
        RefusedError: if they do not run the place.
        AccessDeniedError: if it is their own role.
    """
    if principal_id == caller.principal.principal_id:
        raise AccessDeniedError("nobody gives themselves a role, or takes one away")
    require_any(caller, ("user.write",), Subject(frozenset([place] if place else [])))


def owner_of(connection: psycopg.Connection[Any], token_id: UUID) -> UUID:
    """Return whose token this is.

    Raises:
        NotFoundError: if there is no such token.
    """
    row = connection.execute("SELECT principal_id FROM access_token WHERE token_id = %s", (token_id,)).fetchone()
    if row is None:
        raise NotFoundError("there is no such token, or it was revoked before")
    found: UUID = row[0]
    return found
