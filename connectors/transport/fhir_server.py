"""A FHIR server that is asked over HTTP: safe addresses only, and every way to fail told as a partner's error."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import httpx

from connectors.transport.web import is_safe, origin
from hub_core.errors import ConfigurationError, PartnerError

_PATIENCE: Final = httpx.Timeout(60.0, connect=10.0)
_SHORTEST, _LONGEST = 1.0, 3600.0
"""Seconds that a server is left in peace, whatever it says."""
_TRANSIENT: Final = frozenset({408, 425, 429, 500, 502, 503, 504})


class FHIRServer:
    """A FHIR server, and who we are to it."""

    def __init__(self, base: str, authorization: httpx.Auth | None = None) -> None:
        """Prepare to ask; nothing is sent yet.

        Raises:
            ConfigurationError: if the address is not one of HTTPS, or of this machine.
        """
        if not is_safe(base):
            raise ConfigurationError("the address of a FHIR server must begin with https://: it gives patients' data")
        self.base = base.rstrip("/")
        self._client = httpx.Client(auth=authorization, timeout=_PATIENCE, trust_env=False)

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def is_theirs(self, address: str) -> bool:
        """Return whether an address lies with this server."""
        return is_safe(address) and origin(address) == origin(self.base)

    @contextmanager
    def asked(
        self, method: str, address: str, headers: dict[str, str], allowed: frozenset[int] = frozenset()
    ) -> Iterator[httpx.Response]:
        """Give the answer to a request, its body unread; redirections are not followed.

        Raises:
            PartnerError: if there is none, it breaks off, or it says no.
        """
        try:
            with self._client.stream(method, address, headers=headers) as answer:
                if not answer.is_success and answer.status_code not in allowed:
                    code = answer.status_code
                    raise PartnerError(
                        f"the server answered {code}", retry_after=seconds(answer), is_final=code not in _TRANSIENT
                    )
                yield answer
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise PartnerError(f"the server cannot be heard ({type(error).__name__})") from error


def seconds(answer: httpx.Response) -> float | None:
    """Return how long a server wants to be left in peace, within reason; None if it does not say it in seconds."""
    text = answer.headers.get("Retry-After", "")
    return min(max(float(text), _SHORTEST), _LONGEST) if text.isascii() and text.isdigit() else None
