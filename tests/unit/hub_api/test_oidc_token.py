"""Tokens of a provider without one: which keys may check what, what names somebody, and what a log-out ends."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from hub_api.login.oidc_provider import is_protected
from hub_api.login.oidc_token import Expected, TokenError, folded, named, verify_identity, verify_logout

EXPECTED = Expected("https://login.example", "wholechart")
KEY = rsa.generate_private_key(65537, 2048)
JWK = RSAAlgorithm.to_jwk(KEY.public_key(), as_dict=True)
EVENTS: dict[str, Any] = {"http://schemas.openid.net/event/backchannel-logout": {}}


def token(key: Any = KEY, algorithm: str = "RS256", **more: Any) -> str:
    now = int(time.time())
    claims = {"iss": EXPECTED.issuer, "aud": EXPECTED.client_id, "sub": "u-1", "iat": now, "exp": now + 60, **more}
    return jwt.encode(claims, key, algorithm=algorithm)


def verified(text: str, *keys: Mapping[str, Any]) -> Mapping[str, Any]:
    return verify_identity(text, lambda _: list(keys), EXPECTED, nonce="n")


def test_an_honest_token_is_believed() -> None:
    assert verified(token(nonce="n"), JWK)["sub"] == "u-1"
    assert verified(token(nonce="n", azp="wholechart", aud=["wholechart"]), JWK)["sub"] == "u-1"


@pytest.mark.parametrize(
    "keys",
    [
        (),
        (JWK, JWK),
        ({**JWK, "use": "enc"},),
        ({**JWK, "alg": "RS512"},),
        ({**JWK, "kty": "oct", "k": "c2VjcmV0"},),
    ],
)
def test_only_one_key_for_just_this_checks_a_token(keys: tuple[Mapping[str, Any], ...]) -> None:
    with pytest.raises(TokenError, match="kid"):
        verified(token(nonce="n"), *keys)


def test_weak_keys_and_other_curves_and_hashes_are_refused() -> None:
    weak = rsa.generate_private_key(65537, 1024)  # noqa: S505 - refused for it
    with pytest.warns(match="bits"):
        text = token(weak, nonce="n")
    with pytest.raises(TokenError):
        verified(text, RSAAlgorithm.to_jwk(weak.public_key(), as_dict=True))
    curve = ec.generate_private_key(ec.SECP384R1())
    with pytest.raises(TokenError, match="alg"):
        verified(token(curve, "ES384", nonce="n"), ECAlgorithm.to_jwk(curve.public_key(), as_dict=True))
    with pytest.raises(TokenError, match="alg"):
        verified(token(algorithm="RS512", nonce="n"), JWK)
    with pytest.raises(TokenError):
        verified("not.a.token", JWK)


def test_an_e_mail_names_somebody_once_the_provider_has_verified_it() -> None:
    said = {"sub": "u-1", "email": " Joan@Example.org ", "email_verified": True}
    assert named(said, "email") == folded("email", "JOAN@example.org") == "joan@example.org"
    assert named(said, "sub") == "u-1"
    for wrong in ({"email_verified": "true"}, {"email_verified": False}, {"email": ""}, {"email": ["joan"]}):
        with pytest.raises(TokenError):
            named(said | wrong, "email")
    with pytest.raises(TokenError):
        named(said, "preferred_username")


def test_a_log_out_names_a_session_or_a_subject_and_is_no_log_in() -> None:
    def read(**more: Any) -> Any:
        return verify_logout(token(**({"jti": "1", "events": EVENTS} | more)), lambda _: [JWK], EXPECTED)

    assert (read(sid="s").session, read().subject) == ("s", "u-1")
    mistakes: list[dict[str, Any]] = [{"nonce": "n"}, {"events": {}}, {"events": None}, {"jti": None}, {"sub": 7}]
    for wrong in [*mistakes, {"sub": "", "sid": ""}]:
        with pytest.raises(TokenError):
            read(**wrong)
    with pytest.raises(TokenError, match="nonce"):
        verified(token(jti="1", events=EVENTS), JWK)


@pytest.mark.parametrize(
    ("address", "is_safe"),
    [
        ("https://login.example/realm", True),
        ("http://127.0.0.1:9000", True),
        ("http://[::1]:9000", True),
        ("http://login.example", False),
        ("http://127.0.0.1.example", False),
        ("http://127.0.0.1@login.example", False),
        ("file:///etc/passwd", False),
        ("https://", False),
        ("", False),
    ],
)
def test_a_provider_is_reached_over_tls_or_on_this_machine(address: str, is_safe: bool) -> None:
    assert is_protected(address) is is_safe
