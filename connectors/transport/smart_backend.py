"""Tells a FHIR server who we are, as a program: SMART App Launch 2, backend services, asymmetric authentication.

A short assertion that we sign is exchanged for an access token, which is used until shortly before it ends. The token
goes to the server it was given for and nowhere else, wherever that server sends us.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, Final

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from connectors.transport.web import is_safe, origin
from hub_core.errors import ConfigurationError, PartnerError

_ASSERTION_SECONDS: Final = 240
"""At most five minutes are allowed."""
_EARLY_SECONDS: Final = 30.0
_ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclass(frozen=True, slots=True)
class Client:
    """Who we are to a server."""

    client_id: str
    key_id: str
    key: RSAPrivateKey | EllipticCurvePrivateKey
    scope: str

    def assertion(self, audience: str, moment: float) -> str:
        """Return a signed statement of who we are, for one token endpoint, for a few minutes, once."""
        claims = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": audience,
            "jti": secrets.token_urlsafe(24),
            "iat": int(moment),
            "exp": int(moment) + _ASSERTION_SECONDS,
        }
        algorithm = "RS384" if isinstance(self.key, RSAPrivateKey) else "ES384"
        return jwt.encode(claims, self.key, algorithm=algorithm, headers={"kid": self.key_id})


def read_key(pem: bytes) -> RSAPrivateKey | EllipticCurvePrivateKey:
    """Return a private key that SMART servers take: RSA, or an elliptic curve P-384.

    Raises:
        ConfigurationError: if it is none.
    """
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError) as error:
        raise ConfigurationError("the key is not a private key in PEM without a password") from error
    if isinstance(key, RSAPrivateKey) or (isinstance(key, EllipticCurvePrivateKey) and key.curve.name == "secp384r1"):
        return key
    raise ConfigurationError("the key is neither RSA (RS384) nor of the curve P-384 (ES384)")


class BackendAuthorization(httpx.Auth):
    """Puts an access token on each request to one server, asking for a new one when it is due."""

    def __init__(self, base: str, client: Client, clock: Callable[[], float] = time.time) -> None:
        """Begin without a token."""
        self._base = base
        self._client = client
        self._clock = clock
        self._endpoint: str | None = None
        self._token = ""
        self._ends_at = 0.0

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Send a request with a token, once more with a new one if the server wants none of the first.

        Only the answers about tokens are read here: what the request itself brings may be large.
        """
        if origin(str(request.url)) != origin(self._base):
            yield request
            return
        if self._clock() > self._ends_at - _EARLY_SECONDS:
            yield from self._renew()
        request.headers["Authorization"] = f"Bearer {self._token}"
        answer = yield request
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            yield from self._renew()
            request.headers["Authorization"] = f"Bearer {self._token}"
            yield request

    def _renew(self) -> Generator[httpx.Request, httpx.Response, None]:
        if self._endpoint is None:
            found = yield httpx.Request("GET", f"{self._base}/.well-known/smart-configuration")
            self._endpoint = _endpoint(_content(found, "its SMART configuration"))
        moment = self._clock()
        form = {
            "grant_type": "client_credentials",
            "scope": self._client.scope,
            "client_assertion_type": _ASSERTION_TYPE,
            "client_assertion": self._client.assertion(self._endpoint, moment),
        }
        given = _content((yield httpx.Request("POST", self._endpoint, data=form)), "a token")
        token, seconds = given.get("access_token"), given.get("expires_in", 300)
        if not isinstance(token, str) or not token.isascii() or not isinstance(seconds, int):
            raise PartnerError("the server gave no access token", is_final=True)
        self._token, self._ends_at = token, moment + seconds


def _endpoint(configuration: dict[str, Any]) -> str:
    endpoint = configuration.get("token_endpoint")
    if not isinstance(endpoint, str) or not is_safe(endpoint):
        raise PartnerError("the server's SMART configuration names no token endpoint of HTTPS", is_final=True)
    return endpoint


def _content(answer: httpx.Response, what: str) -> dict[str, Any]:
    answer.read()
    if not answer.is_success:
        raise PartnerError(
            f"the server refused {what} ({answer.status_code})",
            is_final=answer.status_code in (httpx.codes.BAD_REQUEST, httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN),
        )
    try:
        content = answer.json()
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise PartnerError(f"the server's answer is not {what}")
    return content
