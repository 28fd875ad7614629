"""Which web pages may send something here, and where a log-in may lead: our own addresses only.

A session cookie travels to every port of this host, so the cookie alone does not show that a page of ours sent a
request. Browsers name the sending page in `Origin`; programs send none and carry no cookie jar.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection

    from hub_core.settings import Settings


def own_origins(connection: HTTPConnection, settings: Settings) -> frozenset[str]:
    """Return the origins of the API and of the dashboards, as this request reaches them."""
    asked = connection.url
    origins = {f"{asked.scheme}://{asked.netloc}", dashboards_origin(connection, settings)}
    if settings.public_url:
        origins.add(_origin(settings.public_url))
    return frozenset(origins)


def dashboards_origin(connection: HTTPConnection, settings: Settings) -> str:
    """Return the origin of the dashboards: this host, their port."""
    host = connection.url.hostname or settings.host
    bracketed = f"[{host}]" if ":" in host else host
    return f"{connection.url.scheme}://{bracketed}:{settings.dashboards_port}"


def is_foreign(connection: HTTPConnection, settings: Settings) -> bool:
    """Return whether a page that is not ours sent this request."""
    origin = connection.headers.get("origin")
    if origin is not None:
        return origin not in own_origins(connection, settings)
    return connection.headers.get("sec-fetch-site", "none") not in ("none", "same-origin", "same-site")


def safe_destination(wanted: str | None, connection: HTTPConnection, settings: Settings) -> str:
    """Return where to go after the log-in: `wanted` when it is one of our own addresses, else the home page."""
    if not wanted or any(ord(character) <= 0x20 or character in "\\\x7f" for character in wanted):
        return "/"
    if wanted.startswith("/") and not wanted.startswith("//"):
        return wanted
    try:
        is_ours = _origin(wanted) in own_origins(connection, settings)
    except ValueError:
        return "/"
    return wanted if is_ours else "/"


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
