"""Fetches what a FHIR server finds, page by page (R4 section 3.1.1.5): searches, and histories of types.

Each page is one step that may be repeated: who calls keeps the address of the next one. What a server says comes next
is followed only where it lies below the server's own base.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

import httpx
import orjson

from connectors.transport.fhir_server import FHIRServer
from hub_core.clock import instant
from hub_core.errors import PartnerError

_NOT_OFFERED: Final = frozenset({400, 403, 404, 405, 501})
"""Answers of servers that have no history of a type."""
_KINDS: Final = ("searchset", "history")


@dataclass(frozen=True, slots=True)
class Page:
    """One page, as it was kept."""

    next: str | None
    """Address of the next page."""
    entries: int
    moment: str | None
    """The server's time when it answered, as it says itself."""


class SearchServer(FHIRServer):
    """A FHIR server that is searched."""

    def first(self, query: str, since: str | None, size: int) -> str:
        """Return where the pages of a search begin, such as `Observation?category=laboratory`, since a moment."""
        kind, _, asked = query.partition("?")
        wanted = [*parse_qsl(asked, keep_blank_values=True), ("_count", str(size))]
        if since:
            wanted.append(("_lastUpdated", f"gt{since}"))
        return f"{self.base}/{kind}?{urlencode(wanted)}"

    def history(self, kind: str, since: str, size: int) -> str:
        """Return where the history of a type begins, since a moment: what was deleted stands nowhere else."""
        return f"{self.base}/{kind}/_history?{urlencode({'_since': since, '_count': str(size)})}"

    def fetch(self, address: str, path: Path, *, limit: int) -> Page | None:
        """Fetch a page to a path; None where the server has no such history.

        Args:
            address: of the page.
            path: where it is kept.
            limit: bytes a page may have.

        Raises:
            PartnerError: if it does not come whole, is no page of FHIR in JSON, or leads astray.
        """
        is_history = urlsplit(address).path.endswith("/_history")
        allowed = _NOT_OFFERED if is_history else frozenset[int]()
        headers = {"Accept": "application/fhir+json", "Accept-Encoding": "gzip"}
        with self.asked("GET", address, headers, allowed) as answer:
            if not answer.is_success:
                return None
            text = _read(answer, limit)
            moment = _moment(answer)
        bundle = _bundle(text)
        page = Page(self._next(bundle, address), len(bundle.get("entry", ())), moment)
        _keep(text, path)
        return page

    def _next(self, bundle: dict[str, Any], address: str) -> str | None:
        """Return where a page says that the next one is.

        Raises:
            PartnerError: if that is with somebody else.
        """
        links = bundle.get("link", ())
        for link in links if isinstance(links, list) else ():
            if isinstance(link, dict) and link.get("relation") == "next":
                following = _joined(address, link.get("url"))
                if following is None or not self._is_below(following):
                    raise PartnerError("the next page lies with somebody else; it is not fetched", is_final=True)
                return following
        return None

    def _is_below(self, address: str) -> bool:
        path, base = urlsplit(address).path, urlsplit(self.base).path
        is_plain = ".." not in path and "%2e" not in path.lower()
        return self.is_theirs(address) and is_plain and f"{path}/".startswith(f"{base}/")


def _joined(address: str, url: Any) -> str | None:
    try:
        return urljoin(address, url) if isinstance(url, str) and url else None
    except ValueError:
        return None


def _read(answer: httpx.Response, limit: int) -> bytes:
    held = bytearray()
    for chunk in answer.iter_bytes():
        held += chunk
        if len(held) > limit:
            raise PartnerError(f"a page has more than {limit:,} bytes; ask for a smaller page_size", is_final=True)
    return bytes(held)


def _bundle(text: bytes) -> dict[str, Any]:
    """Return the Bundle that a page is.

    Raises:
        PartnerError: if it is none; a page for people, as a log-in or a proxy shows it, is none.
    """
    try:
        found = orjson.loads(text.removeprefix(b"\xef\xbb\xbf"))
    except ValueError as error:
        what = "a page for people (HTML)" if text.lstrip()[:1] == b"<" else "no JSON"
        raise PartnerError(f"the server's answer is {what}, where FHIR in JSON was asked for") from error
    if not isinstance(found, dict) or found.get("resourceType") != "Bundle" or found.get("type") not in _KINDS:
        raise PartnerError("the server's answer is no Bundle of a search")
    if not isinstance(found.get("entry", []), list):
        raise PartnerError("the server's answer is a Bundle whose entry is no array")
    return found


def _moment(answer: httpx.Response) -> str | None:
    try:
        found = parsedate_to_datetime(answer.headers.get("Date", ""))
    except ValueError:
        return None
    return instant(found) if found.tzinfo else None


def _keep(text: bytes, path: Path) -> None:
    """Write a page whole or not at all."""
    part = path.with_name(f"{path.name}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(text)
    part.replace(path)
