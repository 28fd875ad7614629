"""Codes by which somebody invited to the portal chooses a password: random, kept as a hash, good once, for a while."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from hub_core.principals import Principal, first_password

if TYPE_CHECKING:
    import psycopg


def new_code() -> str:
    """Return a code that nobody guesses and anybody can copy from paper."""
    return first_password()


def sha_of(code: str) -> bytes:
    """Return what is kept of a code; spaces, hyphens and capitals make no difference to who types it."""
    return hashlib.sha256("".join(each for each in code.lower() if each.isalnum()).encode()).digest()


def redeem(connection: psycopg.Connection[Any], name: str, code: str) -> Principal | None:
    """Return whose code this is and use it up, if it still counts and is that of the account of this name."""
    row = connection.execute(
        "UPDATE portal_invitation i SET used_at = now() FROM principal p"
        " WHERE p.principal_id = i.principal_id AND i.code_sha = %s AND lower(p.name) = lower(%s)"
        " AND i.used_at IS NULL AND i.revoked_at IS NULL AND i.expires_at > clock_timestamp()"
        " AND p.disabled_at IS NULL RETURNING p.principal_id, p.name, p.kind, p.is_administrator",
        (sha_of(code), name),
    ).fetchone()
    return None if row is None else Principal(*row)
