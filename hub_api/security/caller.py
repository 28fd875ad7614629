"""Who sends a request: their credentials read, and what an audit event says about them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

from hub_core.principals import Principal, SessionLimits, authenticate_session, authenticate_token

if TYPE_CHECKING:
    import psycopg
    from starlette.requests import HTTPConnection

SESSION_COOKIE = "wholechart_session"

PURPOSES = frozenset({"TREAT", "HPAYMT", "HOPERAT", "ETREAT", "BTG", "PATRQT", "HRESCH", "PUBHLTH"})
"""Codes of HL7's PurposeOfUse that a caller may give in `X-Purpose-Of-Use`."""

Way: TypeAlias = Literal["session", "token"]


@dataclass(frozen=True, slots=True)
class Credentials:
    """The secret a request brings, and how."""

    way: Way
    secret: str

    def authenticate(self, connection: psycopg.Connection[Any], limits: SessionLimits) -> Principal | None:
        """Return whose secret it is."""
        if self.way == "token":
            return authenticate_token(connection, self.secret)
        return authenticate_session(connection, self.secret, limits)


@dataclass(frozen=True, slots=True)
class Caller:
    """A principal making one request."""

    principal: Principal
    way: Way
    purpose: str | None


def credentials_of(connection: HTTPConnection) -> Credentials | None:
    """Return the credentials of a request; a bearer token counts before a cookie."""
    scheme, _, secret = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and secret.strip():
        return Credentials("token", secret.strip())
    cookie = connection.cookies.get(SESSION_COOKIE)
    return Credentials("session", cookie) if cookie else None


def purpose_of(connection: HTTPConnection) -> str | None:
    """Return why the caller says they ask, if it is a purpose we know."""
    purpose = connection.headers.get("x-purpose-of-use", "").upper()
    return purpose if purpose in PURPOSES else None


def address_of(connection: HTTPConnection) -> str:
    """Return the network address a request comes from."""
    return connection.client.host if connection.client else "unknown"


def caller_of(connection: HTTPConnection) -> Caller:
    """Return the caller whom the guard let in."""
    return cast(Caller, connection.state.caller)
