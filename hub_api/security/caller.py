"""Who sends a request: their credentials read, and what an audit event says about them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

from hub_core.access import Access
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
    access: Access
    """What they may do, as it was when the request came."""
    location: str | None = None
    """Key of the location where they say they are working, which a role of theirs reaches."""


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


def place_of(connection: HTTPConnection, access: Access) -> str | None:
    """Return where the caller is working, as `X-Location` or a call's `location` says.

    A place where the caller holds no role is not where they work: nothing is put on record as done there.
    """
    named = connection.headers.get("x-location")
    if named is None and connection.url.path.startswith("/api/"):
        named = connection.query_params.get("location")
    reached = (grant.locations for grant in access.grants if named)
    return named if any(locations is None or named in locations for locations in reached) else None


def address_of(connection: HTTPConnection) -> str:
    """Return the network address a request comes from."""
    return connection.client.host if connection.client else "unknown"


def caller_of(connection: HTTPConnection) -> Caller:
    """Return the caller whom the guard let in."""
    return cast(Caller, connection.state.caller)
