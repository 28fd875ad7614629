"""An OpenID provider on this machine, as honest or as crooked as a test wants it."""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, RSAAlgorithm
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

CLIENT, SECRET = "wholechart", "a secret of two"
Claims = dict[str, Any]
Sign = Callable[["OpenIDProvider", Claims], str]


@dataclass
class Asked:
    """A log-in that the provider was asked for."""

    nonce: str
    challenge: str
    redirect_uri: str


@dataclass
class OpenIDProvider:
    """A provider with an RSA and an elliptic key, at which one person is logged in."""

    subject: str = "u-100"
    more: Claims = field(default_factory=dict)
    """Claims that are added to, or take the place of, the honest ones."""
    sign: Sign | None = None
    """How a token is made, when not honestly."""
    discovery: Claims = field(default_factory=dict)
    issuer: str = ""
    rsa_key: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))
    ec_key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    codes: dict[str, Asked] = field(default_factory=dict)
    keys_read: int = 0

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._discover),
                Route("/authorize", self._authorize),
                Route("/token", self._token, methods=["POST"]),
                Route("/keys", self._keys),
            ]
        )

    def token(self, claims: Claims, *, algorithm: str = "RS256", key: Any = None, kid: str | None = None) -> str:
        signing = key or (self.rsa_key if algorithm == "RS256" else self.ec_key)
        headers = {"kid": kid or f"{algorithm}-1"}
        return jwt.encode(claims, signing, algorithm=algorithm, headers=headers)

    def claims(self, **more: Any) -> Claims:
        now = int(time.time())
        return {"iss": self.issuer, "sub": self.subject, "aud": CLIENT, "iat": now, "exp": now + 300, **more}

    def public_key(self) -> bytes:
        return self.rsa_key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    async def _discover(self, _: Request) -> Response:
        return JSONResponse(
            {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
                **self.discovery,
            }
        )

    async def _keys(self, _: Request) -> Response:
        self.keys_read += 1
        keys = [
            RSAAlgorithm.to_jwk(self.rsa_key.public_key(), as_dict=True) | {"kid": "RS256-1", "use": "sig"},
            ECAlgorithm.to_jwk(self.ec_key.public_key(), as_dict=True) | {"kid": "ES256-1", "alg": "ES256"},
        ]
        return JSONResponse({"keys": keys})

    async def _authorize(self, request: Request) -> Response:
        asked = request.query_params
        assert (asked["response_type"], asked["client_id"], asked["code_challenge_method"]) == ("code", CLIENT, "S256")
        assert "openid" in asked["scope"].split()
        code = f"code-{len(self.codes)}"
        self.codes[code] = Asked(asked["nonce"], asked["code_challenge"], asked["redirect_uri"])
        back = urlencode({"code": code, "state": asked["state"], "iss": self.issuer})
        return RedirectResponse(f"{asked['redirect_uri']}?{back}", 302)

    async def _token(self, request: Request) -> Response:
        form = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        asked = self.codes.pop(form["code"], None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).rstrip(b"=")
        pair = base64.b64decode(request.headers["authorization"].removeprefix("Basic ")).decode()
        if asked is None or asked.challenge != challenge.decode() or pair != f"{CLIENT}:a%20secret%20of%20two":
            return JSONResponse({"error": "invalid_grant"}, 400)
        assert form["redirect_uri"] == asked.redirect_uri
        claims = self.claims(**({"nonce": asked.nonce} | self.more))
        token = self.sign(self, claims) if self.sign else self.token(claims)
        return JSONResponse({"access_token": "unused", "token_type": "Bearer", "id_token": token})


def query_of(address: str) -> dict[str, str]:
    """Return what an address asks."""
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
