"""A FHIR server that is searched, as small as R4 allows, and as hostile as a test wants it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.unit.connectors.transport.answering import answering

Json = dict[str, Any]


@dataclass
class Answer:
    """What is answered instead of a page."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Found:
    """What the server has, how it misbehaves, and what it was asked."""

    resources: list[Json] = field(default_factory=list)
    deleted: list[str] | None = None
    """References of what was deleted; None: there are no histories."""
    instead: list[Answer | None] = field(default_factory=list)
    """What the next requests get instead of a page, each once."""
    next_of: Callable[[str, str | None], str | None] = lambda _, following: following
    """What the page at an address says comes next, given the truth."""
    asked: list[str] = field(default_factory=list)
    base: str = ""

    def page(self, path: str) -> Json:
        """Return the page at an address: so many resources of a type from an offset on."""
        parts = urlsplit(path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        kind, count, start = parts.path.rpartition("/")[2], int(query["_count"]), int(query.get("_offset", "0"))
        since = query.get("_lastUpdated", "gt")[2:]
        every = [
            each for each in self.resources if each["resourceType"] == kind and each["meta"]["lastUpdated"] > since
        ]
        rest = "&".join(f"{name}={value}" for name, value in query.items() if name != "_offset")
        following = f"{self.base}/{kind}?{rest}&_offset={start + count}" if start + count < len(every) else None
        link = self.next_of(path, following)
        page: Json = {"resourceType": "Bundle", "type": "searchset", "total": len(every)}
        if link is not None:
            page["link"] = [{"relation": "self", "url": path}, {"relation": "next", "url": link}]
        if entries := [
            {"fullUrl": f"{self.base}/{kind}/{each['id']}", "resource": each} for each in every[start:][:count]
        ]:
            page["entry"] = entries
        return page

    def history(self) -> Answer:
        """Return the history of a type: what was deleted."""
        if self.deleted is None:
            return Answer(status=404)
        entries = [
            {"request": {"method": "DELETE", "url": each}, "response": {"lastModified": "2026-03-09T00:00:00Z"}}
            for each in self.deleted
        ]
        return Answer(json.dumps({"resourceType": "Bundle", "type": "history", "entry": entries}).encode())


@contextmanager
def serving(found: Found) -> Iterator[Found]:
    """Give what the server has at an address of this machine, below `/r4`."""
    with answering(_Handler, found=found) as base:
        found.base = f"{base}/r4"
        yield found


class _Handler(BaseHTTPRequestHandler):
    found: Found

    def do_GET(self) -> None:
        self.found.asked.append(self.path)
        instead = self.found.instead.pop(0) if self.found.instead else None
        if instead is None and "/_history" in self.path:
            instead = self.found.history()
        if instead is None:
            instead = Answer(json.dumps(self.found.page(self.path)).encode())
        self.send_response(instead.status)
        for name, value in instead.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(instead.body)))
        self.end_headers()
        self.wfile.write(instead.body)

    def date_time_string(self, timestamp: float | None = None) -> str:
        """Return the server's time: it stands still."""
        return "Tue, 10 Mar 2026 12:00:00 GMT"

    def log_message(self, *_: object) -> None:
        """Say nothing."""
