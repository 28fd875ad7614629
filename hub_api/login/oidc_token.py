"""ID tokens and logout tokens of the provider, believed only when everything about them is right.

OpenID Connect Core 1.0 section 3.1.3.7, Back-Channel Logout 1.0 section 2.6, and what RFC 8725 warns of: the algorithm
is ours to choose, a public key never checks a symmetric signature, and one kind of token is never taken for the other.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import jwt

from hub_core.errors import AccessDeniedError
from hub_core.principals import Outside

Keys: TypeAlias = Callable[[str | None], list[Mapping[str, Any]]]
"""Public keys of an id as JWKs; of any, when the token names none."""

_KINDS: Final = {"RS256": ("RSA", None), "ES256": ("EC", "P-256")}
"""The algorithms taken, and the keys that go with each."""
_MOST_CHARACTERS: Final = 16 * 1024
_LEEWAY_SECONDS: Final = 60
_LOGOUT: Final = "http://schemas.openid.net/event/backchannel-logout"
_VERIFIER: Final = jwt.PyJWT(options={"enforce_minimum_key_length": True})


class TokenError(AccessDeniedError):
    """A token is not what it should be; the text says what is wrong, and nothing of what it says."""


@dataclass(frozen=True, slots=True)
class Expected:
    """Who must have made a token, and for whom."""

    issuer: str
    client_id: str


def verify_identity(token: str, keys: Keys, expected: Expected, *, nonce: str) -> Mapping[str, Any]:
    """Return the claims of an ID token that answers the log-in with this nonce.

    Raises:
        TokenError: if anything about it is wrong.
    """
    claims = _verified(token, keys, expected, ["sub"])
    said = claims.get("nonce")
    if not isinstance(said, str) or not hmac.compare_digest(said.encode(), nonce.encode()):
        raise TokenError("nonce")
    if claims.get("azp", expected.client_id) != expected.client_id:
        raise TokenError("azp")
    return claims


def verify_logout(token: str, keys: Keys, expected: Expected) -> Outside:
    """Return whose sessions a logout token ends.

    Raises:
        TokenError: if anything about it is wrong.
    """
    claims = _verified(token, keys, expected, ["jti"])
    events, subject, session = (claims.get(name) for name in ("events", "sub", "sid"))
    if "nonce" in claims or not isinstance(events, dict) or not isinstance(events.get(_LOGOUT), dict):
        raise TokenError("events")
    if not isinstance(subject or "", str) or not isinstance(session or "", str) or not (subject or session):
        raise TokenError("subject")
    return Outside(None, subject or "", session)


def named(claims: Mapping[str, Any], claim: str) -> str:
    """Return what names somebody in an ID token: the claim that the settings chose.

    Raises:
        TokenError: if it is missing, or an e-mail that the provider has not verified.
    """
    value = claims.get(claim)
    if not isinstance(value, str) or not value or len(value) > 255:
        raise TokenError(claim)
    if claim == "email" and claims.get("email_verified") is not True:
        raise TokenError("email_verified")
    return folded(claim, value)


def folded(claim: str, value: str) -> str:
    """Return a claim's value as it is compared: e-mail addresses whatever their case, all others exactly."""
    return value.strip().lower() if claim == "email" else value


def _verified(token: str, keys: Keys, expected: Expected, required: list[str]) -> Mapping[str, Any]:
    if len(token) > _MOST_CHARACTERS:
        raise TokenError("size")
    try:
        header = jwt.get_unverified_header(token)
        algorithm, key_id = header.get("alg"), header.get("kid")
        if algorithm not in _KINDS:
            raise TokenError("alg")
        claims = _VERIFIER.decode(
            token,
            _key(keys(key_id), algorithm),
            algorithms=[algorithm],
            audience=expected.client_id,
            issuer=expected.issuer,
            leeway=_LEEWAY_SECONDS,
            options={"require": ["iss", "aud", "exp", "iat", *required]},
        )
    except jwt.PyJWTError as error:
        raise TokenError(type(error).__name__) from None
    if claims["aud"] not in (expected.client_id, [expected.client_id]):
        raise TokenError("aud")
    return claims


def _key(candidates: list[Mapping[str, Any]], algorithm: str) -> jwt.PyJWK:
    """Return the one key that may check a signature of this algorithm."""
    kind, curve = _KINDS[algorithm]
    fitting = [
        each
        for each in candidates
        if each.get("kty") == kind
        and (curve is None or each.get("crv") == curve)
        and each.get("use", "sig") == "sig"
        and each.get("alg", algorithm) == algorithm
    ]
    if len(fitting) != 1:
        raise TokenError("kid")
    return jwt.PyJWK.from_dict(dict(fitting[0]), algorithm)
