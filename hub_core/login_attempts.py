"""How guessing is slowed down: log-ins that were tried are counted, by name and by address, before they are judged."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import psycopg

ATTEMPT_WINDOW = timedelta(minutes=15)
ATTEMPTS_PER_PAIR, ATTEMPTS_PER_ADDRESS, ATTEMPTS_PER_NAME = 5, 20, 100
"""Log-ins tried within the window before one must wait: few for one name from one address; many for one name from
everywhere, so that a stranger cannot lock its owner out cheaply."""


def seconds_to_wait(connection: psycopg.Connection[Any], name: str, address: str) -> int:
    """Return how long this log-in must wait, or 0 after counting it as tried.

    Counting comes before checking the password, so that many guesses at once are not many first guesses.
    """
    connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"login {address}",))
    row = connection.execute(
        "SELECT count(*) FILTER (WHERE name = %(name)s AND address = %(address)s),"
        " count(*) FILTER (WHERE address = %(address)s), count(*) FILTER (WHERE name = %(name)s),"
        " extract(epoch FROM min(attempted_at) + %(window)s - clock_timestamp())"
        " FROM login_attempt WHERE (name = %(name)s OR address = %(address)s)"
        " AND attempted_at > clock_timestamp() - %(window)s",
        {"name": name.lower()[:200], "address": address, "window": ATTEMPT_WINDOW},
    ).fetchone()
    pair, by_address, by_name, left = row or (0, 0, 0, None)
    if pair >= ATTEMPTS_PER_PAIR or by_address >= ATTEMPTS_PER_ADDRESS or by_name >= ATTEMPTS_PER_NAME:
        return max(1, int(left or 0) + 1)
    connection.execute("INSERT INTO login_attempt (name, address) VALUES (%s, %s)", (name.lower()[:200], address))
    return 0


def forget_attempts(connection: psycopg.Connection[Any], name: str, address: str) -> None:
    """Forget the tries of somebody who got in, and everybody's that no longer count."""
    connection.execute(
        "DELETE FROM login_attempt WHERE (name = %s AND address = %s) OR attempted_at < clock_timestamp() - %s",
        (name.lower()[:200], address, ATTEMPT_WINDOW),
    )
