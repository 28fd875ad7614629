"""The second factor at log-in: one-time codes of an authenticator (RFC 6238), each good once."""

from __future__ import annotations

import hmac
import time
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import pyotp

if TYPE_CHECKING:
    import psycopg

    from hub_core.keyring import Keyring

_ISSUER: Final = "Wholechart"
_DRIFT: Final = 1
"""Steps of half a minute by which an authenticator's clock may be off."""


def new_secret() -> str:
    """Return a secret for an authenticator, in base32."""
    return pyotp.random_base32()


def address_of(secret: str, name: str) -> str:
    """Return what an authenticator reads from a picture to take a secret in."""
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=_ISSUER)


def enrol(connection: psycopg.Connection[Any], principal_id: UUID, secret: str, code: str, keyring: Keyring) -> bool:
    """Ask for codes of this secret from now on, if the code shows that the authenticator has it."""
    step = _step_of(secret, code, after=None)
    if step is None:
        return False
    connection.execute(
        "UPDATE principal SET totp_secret = %s, totp_last_step = %s WHERE principal_id = %s",
        (keyring.seal(secret.encode()), step, principal_id),
    )
    return True


def forget(connection: psycopg.Connection[Any], principal_id: UUID) -> None:
    """Ask a person for no more codes, as when the authenticator is lost."""
    connection.execute(
        "UPDATE principal SET totp_secret = NULL, totp_last_step = NULL WHERE principal_id = %s", (principal_id,)
    )


def is_shown(connection: psycopg.Connection[Any], principal_id: UUID, code: str, keyring: Keyring) -> bool:
    """Return whether a code is right and was not used, and use it; anything is right for who has no authenticator.

    The row is locked, so that of two who bring the same code at once only one gets in.
    """
    row = connection.execute(
        "SELECT totp_secret, totp_last_step FROM principal WHERE principal_id = %s FOR UPDATE", (principal_id,)
    ).fetchone()
    if row is None:
        return False
    if row[0] is None:
        return True
    step = _step_of(keyring.unseal(row[0]).decode(), code, after=row[1])
    if step is None:
        return False
    connection.execute("UPDATE principal SET totp_last_step = %s WHERE principal_id = %s", (step, principal_id))
    return True


def _step_of(secret: str, code: str, *, after: int | None) -> int | None:
    """Return the step of time a code belongs to, among those that still count."""
    totp = pyotp.TOTP(secret)
    now = int(time.time()) // totp.interval
    digits = "".join(code.split())
    for step in range(now - _DRIFT, now + _DRIFT + 1):
        is_fresh = after is None or step > after
        if is_fresh and hmac.compare_digest(totp.generate_otp(step).encode(), digits.encode()):
            return step
    return None
