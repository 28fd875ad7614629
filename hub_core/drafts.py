"""Half-written forms: what somebody typed and has not sent, kept sealed so that a reload or a log-off loses nothing.

A draft is bound to who wrote it and to its form: both are sealed with it, so that a row copied to somebody else, or to
another form, opens for nobody. Nothing of it is in a browser's cache, and after a week nothing of it is anywhere.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from uuid import UUID

from hub_core.errors import TooLargeError

if TYPE_CHECKING:
    import psycopg

    from hub_core.keyring import Keyring

Said: TypeAlias = list[tuple[str, str | bool]]
"""Fields by their names in the form, with what stands in them."""

KEPT_FOR: Final = timedelta(days=7)
LARGEST: Final = 64 * 1024
MOST: Final = 40
"""Drafts of one person; the oldest make room."""


def keep(connection: psycopg.Connection[Any], principal_id: UUID, form: str, said: Said, keyring: Keyring) -> None:
    """Keep what is typed so far, in place of what was kept before; what is older than a week goes.

    Raises:
        TooLargeError: if it is more than a form holds.
    """
    body = json.dumps([str(principal_id), form, said]).encode()
    if len(body) > LARGEST:
        raise TooLargeError(len(body), LARGEST)
    connection.execute("DELETE FROM draft WHERE saved_at < clock_timestamp() - %s", (KEPT_FOR,))
    connection.execute(
        "INSERT INTO draft (principal_id, form, sealed) VALUES (%s, %s, %s) ON CONFLICT (principal_id, form)"
        " DO UPDATE SET sealed = EXCLUDED.sealed, saved_at = clock_timestamp()",
        (principal_id, form, keyring.seal(body)),
    )
    connection.execute(
        "DELETE FROM draft WHERE principal_id = %(who)s AND form IN"
        " (SELECT form FROM draft WHERE principal_id = %(who)s ORDER BY saved_at DESC OFFSET %(most)s)",
        {"who": principal_id, "most": MOST},
    )


def read(connection: psycopg.Connection[Any], principal_id: UUID, form: str, keyring: Keyring) -> Said | None:
    """Return what somebody had typed into a form, if it is theirs and not too old."""
    row = connection.execute(
        "SELECT sealed FROM draft WHERE principal_id = %s AND form = %s AND saved_at >= clock_timestamp() - %s",
        (principal_id, form, KEPT_FOR),
    ).fetchone()
    if row is None:
        return None
    whose, which, said = json.loads(keyring.unseal(row[0]))
    return said if (whose, which) == (str(principal_id), form) else None


def drop(connection: psycopg.Connection[Any], principal_id: UUID, form: str) -> None:
    """Forget what was typed into a form: it was sent, or is not wanted."""
    connection.execute("DELETE FROM draft WHERE principal_id = %s AND form = %s", (principal_id, form))


def drop_all(connection: psycopg.Connection[Any], principal_id: UUID) -> None:
    """Forget everything somebody had typed and not sent."""
    connection.execute("DELETE FROM draft WHERE principal_id = %s", (principal_id,))
