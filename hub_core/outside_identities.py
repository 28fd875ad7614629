"""Staff whom another house knows: whose an OpenID identity is here, log-ins on their way, sessions that it ends.

An identity opens nothing until an administrator has linked it to somebody; nobody is made known by logging in.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from hub_core.principals import Outside, Principal

if TYPE_CHECKING:
    import psycopg

LOGIN_LASTS: Final = timedelta(minutes=10)
"""How long somebody may take to log in at the provider."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A log-in on its way to the provider and back."""

    nonce: str
    verifier: str
    destination: str


@dataclass(frozen=True, slots=True)
class Linked:
    """Whose an identity is."""

    identity_id: UUID
    principal: Principal
    is_active: bool
    """Whether they may still come in."""


def begin(connection: psycopg.Connection[Any], begun: Begun, *, state: str, browser: str) -> None:
    """Keep a log-in until its browser comes back with its state, and forget those that never did."""
    connection.execute("DELETE FROM outside_login WHERE began_at < clock_timestamp() - %s", (LOGIN_LASTS,))
    connection.execute(
        "INSERT INTO outside_login (state_sha, browser_sha, nonce, verifier, destination) VALUES (%s, %s, %s, %s, %s)",
        (_sha(state), _sha(browser), begun.nonce, begun.verifier, begun.destination),
    )


def take_up(connection: psycopg.Connection[Any], *, state: str, browser: str) -> Begun | None:
    """Return the log-in that this browser began with this state, once."""
    row = connection.execute(
        "DELETE FROM outside_login WHERE state_sha = %s AND browser_sha = %s"
        " AND began_at > clock_timestamp() - %s RETURNING nonce, verifier, destination",
        (_sha(state), _sha(browser), LOGIN_LASTS),
    ).fetchone()
    return None if row is None else Begun(*row)


def whose(connection: psycopg.Connection[Any], issuer: str, claim: str, value: str) -> Linked | None:
    """Return whose an identity is, if an administrator has linked it, or whose it was last."""
    row = connection.execute(
        "SELECT i.identity_id, i.ended_at IS NULL AND p.disabled_at IS NULL, p.principal_id, p.name, p.kind,"
        " p.is_administrator FROM outside_identity i JOIN principal p USING (principal_id)"
        " WHERE i.issuer = %s AND i.claim = %s AND i.value = %s ORDER BY i.ended_at DESC NULLS FIRST LIMIT 1",
        (issuer, claim, value),
    ).fetchone()
    return None if row is None else Linked(row[0], Principal(*row[2:]), is_active=row[1])


def close_sessions(connection: psycopg.Connection[Any], issuer: str, outside: Outside) -> list[UUID]:
    """End the sessions that stand on a log-in at the provider, or on all of its subject's; return whose they were."""
    rows = connection.execute(
        "UPDATE browser_session s SET closed_at = now() FROM outside_identity i"
        " WHERE i.identity_id = s.identity_id AND i.issuer = %(issuer)s AND s.closed_at IS NULL"
        " AND (%(subject)s::text IS NULL OR s.outside_subject = %(subject)s)"
        " AND (%(session)s::text IS NULL OR s.outside_session = %(session)s) RETURNING s.principal_id",
        {"issuer": issuer, "subject": outside.subject or None, "session": outside.session},
    ).fetchall()
    return sorted({row[0] for row in rows})


def _sha(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
