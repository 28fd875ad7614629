"""What an address on the web may be: HTTPS, or this very machine, because what is fetched there are patients' data."""

from __future__ import annotations

from typing import Final
from urllib.parse import SplitResult, urlsplit

_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_PORTS: Final = {"https": 443, "http": 80}


def is_safe(address: str) -> bool:
    """Return whether an address is of HTTPS, or of this machine, and holds no password."""
    parts = _split(address)
    if parts is None or parts.hostname is None or parts.username is not None or parts.password is not None:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)


def origin(address: str) -> tuple[str, str | None, int | None]:
    """Return scheme, host and port of an address: what a token belongs to."""
    parts = _split(address)
    return ("", None, None) if parts is None else (parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme))


def _split(address: str) -> SplitResult | None:
    try:
        parts = urlsplit(address)
        _ = parts.port  # read here, because it may be no number
    except ValueError:
        return None
    return parts
