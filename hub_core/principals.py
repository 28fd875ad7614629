"""Who comes in: people with a password and a session, programs with a token.

Secrets never rest in clear: passwords as Argon2id, tokens and sessions (256 random bits) as SHA-256. A secret is looked
up by its hash, so no comparison of ours takes longer the more of it was guessed. Times are the database's, so that all
processes of an installation agree.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias
from uuid import UUID

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from hub_core.errors import ConflictError, NotFoundError
from hub_core.fhir.ids import new_id

if TYPE_CHECKING:
    import psycopg

Kind: TypeAlias = Literal["person", "program"]

ADMINISTRATOR = "admin"
PASSWORD_FILE = "administrator"  # noqa: S105 - a file name
"""Where the first password is kept, in the keys folder, for whoever set the installation up."""

FIRST_TOKEN = "first"  # noqa: S105 - what a token is called that nobody named
_TOKEN_USE_STEP = timedelta(minutes=1)
"""How exactly it is known when a token was last used; writing it down at each request would cost as much as reading."""

_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
"""Letters and digits nobody confuses when reading a password aloud."""
SHORTEST_PASSWORD, _LONGEST_PASSWORD, _FEWEST_CHARACTERS = 12, 1024, 5


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody who has proved who they are."""

    principal_id: UUID
    name: str
    kind: Kind
    is_administrator: bool
    actions: frozenset[str] | None = None
    """What the token they came by is limited to; None is all that their roles allow."""


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """How long a log-in lasts: without use, and at most."""

    idle: timedelta = timedelta(minutes=15)
    absolute: timedelta = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Outside:
    """The log-in elsewhere that a session stands on: whose identity, and what the provider calls them and it."""

    identity_id: UUID | None
    subject: str
    session: str | None = None


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A program's token at the one moment its secret is known."""

    token_id: UUID
    principal_id: UUID
    secret: str


def ensure_administrator(connection: psycopg.Connection[Any], keep_in: Path | None = None) -> tuple[str, str | None]:
    """Return the administrator's name, and the password when this call made the account.

    Args:
        connection: the transaction to make it in.
        keep_in: the keys folder; the password is written there before the account can commit, so it is never lost.
    """
    taken = connection.execute("SELECT 1 FROM principal WHERE lower(name) = %s", (ADMINISTRATOR,)).fetchone()
    if taken is not None:
        return ADMINISTRATOR, None
    password = first_password()
    row = connection.execute(
        "INSERT INTO principal (principal_id, name, kind, is_administrator, password_hash)"
        " VALUES (%s, %s, 'person', true, %s) ON CONFLICT (lower(name)) DO NOTHING RETURNING principal_id",
        (new_id(), ADMINISTRATOR, _hasher().hash(password)),
    ).fetchone()
    if row is None:  # another process made it at this moment
        return ADMINISTRATOR, None
    if keep_in is not None:
        _keep_password(keep_in / PASSWORD_FILE, password)
    return ADMINISTRATOR, password


def authenticate_password(connection: psycopg.Connection[Any], name: str, password: str) -> Principal | None:
    """Return the person with this name and password; takes as long for a name that does not exist."""
    row = connection.execute(
        "SELECT principal_id, name, kind, is_administrator, password_hash FROM principal"
        " WHERE lower(name) = lower(%s) AND password_hash IS NOT NULL AND disabled_at IS NULL",
        (name,),
    ).fetchone()
    expected = _nobodys_hash() if row is None else row[4]
    matches = len(password) <= _LONGEST_PASSWORD and _verify(expected, password)
    return Principal(*row[:4]) if matches and row is not None else None


def first_password() -> str:
    """Return a password nobody guesses and anybody can copy from paper."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(5))


def add_person(connection: psycopg.Connection[Any], name: str) -> tuple[UUID, str]:
    """Return the id of a new person and their first password, which they must change when they log in.

    Raises:
        ConflictError: if the name is taken.
    """
    password = first_password()
    return _add(connection, name, "person", _hasher().hash(password)), password


def add_invited(connection: psycopg.Connection[Any], name: str) -> UUID:
    """Return the id of a new person without a password, who cannot log in before they have chosen one.

    Raises:
        ConflictError: if the name is taken.
    """
    return _add(connection, name, "person", None)


def add_program(connection: psycopg.Connection[Any], name: str) -> UUID:
    """Return the id of a new program.

    Raises:
        ConflictError: if the name is taken.
    """
    return _add(connection, name, "program", None)


def _add(connection: psycopg.Connection[Any], name: str, kind: Kind, password_hash: str | None) -> UUID:
    row = connection.execute(
        "INSERT INTO principal (principal_id, name, kind, password_hash, must_change_password)"
        " VALUES (%s, %s, %s, %s, %s) ON CONFLICT (lower(name)) DO NOTHING RETURNING principal_id",
        (new_id(), name, kind, password_hash, kind == "person"),
    ).fetchone()
    if row is None:
        raise ConflictError("this name is taken")
    found: UUID = row[0]
    return found


def must_change_password(connection: psycopg.Connection[Any], principal: Principal) -> bool:
    """Return whether a person has a password that somebody else has seen."""
    row = connection.execute(
        "SELECT must_change_password FROM principal WHERE principal_id = %s", (principal.principal_id,)
    ).fetchone()
    return row is not None and bool(row[0])


def reason_against(name: str, old: str, new: str) -> str | None:
    """Return why a password cannot be taken; length counts, not kinds of characters (NIST SP 800-63B 5.1.1.2)."""
    if len(new) < SHORTEST_PASSWORD:
        return f"A password has at least {SHORTEST_PASSWORD} characters."
    if len(new) > _LONGEST_PASSWORD:
        return f"A password has at most {_LONGEST_PASSWORD} characters."
    if new == old:
        return "The new password must be another one."
    if name.lower() in new.lower() or len(set(new)) < _FEWEST_CHARACTERS:
        return "This password is too easy to guess."
    return None


def set_password(connection: psycopg.Connection[Any], name: str, password: str, *, must_change: bool = False) -> None:
    """Give a person another password and end their sessions.

    Raises:
        NotFoundError: if there is no such person.
    """
    row = connection.execute(
        "UPDATE principal SET password_hash = %s, must_change_password = %s"
        " WHERE lower(name) = lower(%s) AND kind = 'person' RETURNING principal_id",
        (_hasher().hash(password), must_change, name),
    ).fetchone()
    if row is None:
        raise NotFoundError("there is no person with this name")
    connection.execute(
        "UPDATE browser_session SET closed_at = now() WHERE principal_id = %s AND closed_at IS NULL", row
    )


def end_credentials(connection: psycopg.Connection[Any], principal_id: UUID) -> None:
    """Let nobody in as this principal any more: sessions and tokens end, the password opens nothing."""
    connection.execute("UPDATE principal SET disabled_at = now() WHERE principal_id = %s", (principal_id,))
    connection.execute(
        "UPDATE browser_session SET closed_at = now() WHERE principal_id = %s AND closed_at IS NULL", (principal_id,)
    )
    connection.execute(
        "UPDATE access_token SET revoked_at = now() WHERE principal_id = %s AND revoked_at IS NULL", (principal_id,)
    )


def open_session(
    connection: psycopg.Connection[Any],
    principal: Principal,
    limits: SessionLimits = SessionLimits(),
    *,
    outside: Outside | None = None,
) -> str:
    """Return the secret of a new session; only its hash is kept, and the log-in elsewhere that it stands on."""
    secret = secrets.token_urlsafe(32)
    stands_on = (outside.identity_id, outside.subject, outside.session) if outside else (None, None, None)
    connection.execute(
        "INSERT INTO browser_session (session_id, principal_id, secret_sha, expires_at, identity_id, outside_subject,"
        " outside_session) VALUES (%s, %s, %s, now() + %s, %s, %s, %s)",
        (new_id(), principal.principal_id, _sha(secret), limits.absolute, *stands_on),
    )
    return secret


def authenticate_session(
    connection: psycopg.Connection[Any],
    secret: str,
    limits: SessionLimits = SessionLimits(),
) -> Principal | None:
    """Return whose session this is, and count it as used.

    Use is written down once per fifteenth of the idle time, so a busy session costs few writes and may end that much
    early, never late.
    """
    row = connection.execute(
        "SELECT p.principal_id, p.name, p.kind, p.is_administrator, s.session_id,"
        " s.last_used_at < clock_timestamp() - %(step)s"
        " FROM browser_session s JOIN principal p USING (principal_id)"
        " WHERE s.secret_sha = %(sha)s AND s.closed_at IS NULL AND p.disabled_at IS NULL"
        " AND s.expires_at > clock_timestamp() AND s.last_used_at > clock_timestamp() - %(idle)s",
        {"sha": _sha(secret), "idle": limits.idle, "step": limits.idle / 15},
    ).fetchone()
    if row is None:
        return None
    if row[5]:
        connection.execute(
            "UPDATE browser_session SET last_used_at = clock_timestamp() WHERE session_id = %s", (row[4],)
        )
    return Principal(*row[:4])


def close_session(connection: psycopg.Connection[Any], secret: str) -> None:
    """End a session; ending one that has ended changes nothing."""
    connection.execute(
        "UPDATE browser_session SET closed_at = now() WHERE secret_sha = %s AND closed_at IS NULL", (_sha(secret),)
    )


def issue_token(
    connection: psycopg.Connection[Any],
    name: str,
    *,
    is_administrator: bool,
    issued_by: Principal,
    lifetime: timedelta | None = None,
) -> IssuedToken:
    """Return a new token for the program `name`, which is made known when it is not.

    Raises:
        ConflictError: if the name is a person's, or the program has another role already.
    """
    connection.execute(
        "INSERT INTO principal (principal_id, name, kind, is_administrator) VALUES (%s, %s, 'program', %s)"
        " ON CONFLICT (lower(name)) DO NOTHING",
        (new_id(), name, is_administrator),
    )
    row = connection.execute(
        "SELECT principal_id, kind, is_administrator FROM principal WHERE lower(name) = lower(%s)", (name,)
    ).fetchone()
    if row is None or row[1:] != ("program", is_administrator):
        raise ConflictError("this name belongs to a person, or to a program with another role")
    return add_token(connection, row[0], issued_by=issued_by.principal_id, lifetime=lifetime)


def add_token(
    connection: psycopg.Connection[Any],
    principal_id: UUID,
    *,
    issued_by: UUID | None,
    lifetime: timedelta | None,
    name: str = FIRST_TOKEN,
    actions: frozenset[str] | None = None,
) -> IssuedToken:
    """Return a new token of a program that is known, limited to some actions where any are named."""
    secret, token_id = secrets.token_urlsafe(32), new_id()
    connection.execute(
        "INSERT INTO access_token (token_id, principal_id, name, actions, secret_sha, created_by, expires_at)"
        " VALUES (%s, %s, %s, %s, %s, %s, now() + %s)",
        (token_id, principal_id, name, sorted(actions) if actions else None, _sha(secret), issued_by, lifetime),
    )
    return IssuedToken(token_id, principal_id, secret)


def revoke_token(connection: psycopg.Connection[Any], token_id: UUID) -> None:
    """End a token; the next request that brings it is refused.

    Raises:
        NotFoundError: if there is no such token, or it has ended.
    """
    row = connection.execute(
        "UPDATE access_token SET revoked_at = now() WHERE token_id = %s AND revoked_at IS NULL RETURNING token_id",
        (token_id,),
    ).fetchone()
    if row is None:
        raise NotFoundError("there is no such token, or it was revoked before")


def authenticate_token(connection: psycopg.Connection[Any], secret: str) -> Principal | None:
    """Return whose bearer token this is, if it still counts, and count it as used, by the minute."""
    row = connection.execute(
        "SELECT coalesce(t.last_used_at < clock_timestamp() - %s, true), t.token_id, t.actions,"
        " p.principal_id, p.name, p.kind, p.is_administrator"
        " FROM access_token t JOIN principal p USING (principal_id)"
        " WHERE t.secret_sha = %s AND t.revoked_at IS NULL AND p.disabled_at IS NULL"
        " AND (t.expires_at IS NULL OR t.expires_at > clock_timestamp())",
        (_TOKEN_USE_STEP, _sha(secret)),
    ).fetchone()
    if row is None:
        return None
    is_noted, token_id, actions = row[:3]
    if is_noted:
        connection.execute("UPDATE access_token SET last_used_at = clock_timestamp() WHERE token_id = %s", (token_id,))
    return replace(Principal(*row[3:]), actions=None if actions is None else frozenset(actions))


def _sha(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher()


@cache
def _nobodys_hash() -> str:
    return _hasher().hash(secrets.token_urlsafe(32))


def _verify(expected: str, password: str) -> bool:
    try:
        return _hasher().verify(expected, password)
    except (VerificationError, InvalidHashError):
        return False


def _keep_password(path: Path, password: str) -> None:
    """Write the first password where only the installation's owner may read it."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.unlink(missing_ok=True)
    path.touch(mode=0o600, exist_ok=False)
    path.write_text(f"{password}\n", encoding="ascii")
