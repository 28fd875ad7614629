"""The OpenID provider of the group's staff: what it says of itself, its keys, and codes redeemed for ID tokens.

What it answers is believed only from the addresses that it names itself, over TLS, within bounds of size and time; it
is asked again when what is known is old, and for a key nobody has seen at most once a minute.
"""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlsplit

import httpx
import orjson

from hub_core.errors import ConfigurationError, WholechartError

if TYPE_CHECKING:
    from hub_core.settings import Settings

_WELL_KNOWN: Final = "/.well-known/openid-configuration"
_MOST_BYTES: Final = 256 * 1024
_MOST_SECONDS: Final = 10.0
"""For a whole answer, however slowly it drips."""
_PATIENCE: Final = httpx.Timeout(5.0)
_FRESH_SECONDS: Final = 3600.0
_SOONEST_AGAIN_SECONDS: Final = 60.0


class ProviderError(WholechartError):
    """The provider does not answer, or not as OpenID Connect says."""


@dataclass(frozen=True, slots=True)
class Discovery:
    """What a provider says of itself (OpenID Connect Discovery 1.0 section 3)."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    takes_basic: bool
    """Whether the client's secret travels in a header; else in the form."""


@dataclass
class Provider:
    """One provider, asked by one client."""

    issuer: str
    client_id: str
    secret: str | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _discovery: tuple[float, Discovery] | None = None
    _keys: tuple[float, list[Mapping[str, Any]]] | None = None

    def discover(self) -> Discovery:
        """Return what the provider says of itself.

        Raises:
            ProviderError: if it does not answer, or is another one.
        """
        with self._lock:
            if self._discovery is None or self._discovery[0] + _FRESH_SECONDS < time.monotonic():
                said = self._ask("GET", self.issuer.rstrip("/") + _WELL_KNOWN)
                self._discovery = (time.monotonic(), self._believed(said))
            return self._discovery[1]

    def keys(self, key_id: str | None) -> list[Mapping[str, Any]]:
        """Return the provider's public keys of this id, all when none is named (RFC 7517 section 5).

        Raises:
            ProviderError: if it does not answer.
        """
        address = self.discover().jwks_uri
        with self._lock:
            found = _named(self._keys[1], key_id) if self._keys else []
            age = time.monotonic() - self._keys[0] if self._keys else float("inf")
            if age > _FRESH_SECONDS or (not found and age > _SOONEST_AGAIN_SECONDS):
                keys = self._ask("GET", address).get("keys")
                if not isinstance(keys, list):
                    raise ProviderError("the provider names no keys")
                self._keys = (time.monotonic(), [each for each in keys if isinstance(each, dict)])
                found = _named(self._keys[1], key_id)
            return found

    def redeem(self, code: str, verifier: str, redirect_uri: str) -> str:
        """Return the ID token for a code (RFC 6749 section 4.1.3, RFC 7636 section 4.5).

        Raises:
            ProviderError: if it gives none.
        """
        endpoints = self.discover()
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
        form |= {"code_verifier": verifier, "client_id": self.client_id}
        headers = {}
        if self.secret and endpoints.takes_basic:
            pair = f"{quote(self.client_id, safe='')}:{quote(self.secret, safe='')}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        elif self.secret:
            form["client_secret"] = self.secret
        token = self._ask("POST", endpoints.token_endpoint, data=form, headers=headers).get("id_token")
        if not isinstance(token, str):
            raise ProviderError("the provider gives no ID token")
        return token

    def _believed(self, said: Mapping[str, Any]) -> Discovery:
        if said.get("issuer") != self.issuer:
            raise ProviderError("the provider names another issuer than the settings do")
        ways = said.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        return Discovery(
            authorization_endpoint=self._address(said, "authorization_endpoint"),
            token_endpoint=self._address(said, "token_endpoint"),
            jwks_uri=self._address(said, "jwks_uri"),
            takes_basic="client_secret_basic" in ways,
        )

    def _address(self, said: Mapping[str, Any], name: str) -> str:
        """Return an address that the provider names: in the clear only on this machine, of a provider on it."""
        address = said.get(name)
        if not isinstance(address, str) or not is_protected(address) or _is_https(address) < _is_https(self.issuer):
            raise ProviderError(f"the provider names no protected {name}")
        return address

    def _ask(self, method: str, address: str, **options: Any) -> Mapping[str, Any]:
        is_near = not _is_https(self.issuer)
        ends = time.monotonic() + _MOST_SECONDS
        body = bytearray()
        try:
            with (
                httpx.Client(timeout=_PATIENCE, follow_redirects=False, trust_env=not is_near) as client,
                client.stream(method, address, **options) as answer,
            ):
                if answer.status_code != httpx.codes.OK:
                    raise ProviderError(f"the provider answers with status {answer.status_code}")
                for piece in answer.iter_bytes():
                    body += piece
                    if len(body) > _MOST_BYTES or time.monotonic() > ends:
                        raise ProviderError("the provider's answer is too long or too slow")
            said = orjson.loads(body)
        except (httpx.HTTPError, httpx.InvalidURL, orjson.JSONDecodeError) as error:
            raise ProviderError(f"the provider does not answer as it should ({type(error).__name__})") from None
        if not isinstance(said, dict):
            raise ProviderError("the provider does not answer with an object")
        return said


def provider_of(settings: Settings) -> Provider | None:
    """Return the provider that the settings name, if any.

    Raises:
        ConfigurationError: if its address is not protected, or the client's name is missing.
    """
    if settings.oidc_issuer is None:
        return None
    if not is_protected(settings.oidc_issuer):
        raise ConfigurationError("WHOLECHART_OIDC_ISSUER must be an https address")
    if not settings.oidc_client_id:
        raise ConfigurationError("WHOLECHART_OIDC_CLIENT_ID is needed with WHOLECHART_OIDC_ISSUER")
    secret = settings.oidc_client_secret
    return Provider(settings.oidc_issuer, settings.oidc_client_id, secret.get_secret_value() if secret else None)


def is_protected(address: str) -> bool:
    """Return whether an address is reached over TLS, or on this machine only."""
    parts = urlsplit(address)
    if parts.scheme == "https":
        return bool(parts.hostname)
    try:
        return parts.scheme == "http" and ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return False


def _is_https(address: str) -> bool:
    return urlsplit(address).scheme == "https"


def _named(keys: list[Mapping[str, Any]], key_id: str | None) -> list[Mapping[str, Any]]:
    return [each for each in keys if key_id is None or each.get("kid") == key_id]
