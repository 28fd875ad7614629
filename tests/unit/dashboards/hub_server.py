"""An API over real HTTP that answers what a test tells it, and remembers what it was asked."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

from tests.unit.dashboards import group


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it arrived."""

    method: str
    path: str
    body: str
    cookie: str | None


@dataclass(slots=True)
class HubServer:
    """The server; `sessions` are the secrets that are logged in, `answers` what each path answers."""

    sessions: set[str] = field(default_factory=lambda: {group.SESSION})
    visitor: dict[str, Any] = field(default_factory=lambda: group.visitor("admin"))
    answers: dict[tuple[str, str], tuple[int, Any]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    _server: ThreadingHTTPServer | None = None

    def __enter__(self) -> HubServer:
        hub = self
        self.answers = {
            ("GET", "/api/session"): (200, self.visitor),
            ("POST", "/api/people/search"): (200, [group.person()]),
            ("GET", f"/api/people/{group.PERSON}/chart"): (200, group.chart()),
            ("GET", "/api/feeds"): (200, group.feeds()),
            ("GET", "/api/practice/findings"): (200, []),
            ("POST", "/api/marts/denials/rows"): (200, group.denial_rows()),
            ("POST", "/api/marts/denials/trace"): (200, group.denial_trace()),
            ("GET", "/api/feeds/hospital-adt/rejects?limit=200"): (200, group.rejects()),
        }

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                hub._answer(self)

            def do_POST(self) -> None:
                hub._answer(self)

            def log_message(self, format: str, *args: object) -> None:
                """Keep the tests' output clean."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def port(self) -> int:
        assert self._server is not None
        return int(self._server.server_address[1])

    def stop(self) -> None:
        """Go away, as an API that was stopped does."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def paths(self) -> list[str]:
        """Return what was asked, in order."""
        return [f"{asked.method} {asked.path}" for asked in self.asked]

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        length = int(request.headers.get("Content-Length") or 0)
        body = request.rfile.read(length).decode()
        self.asked.append(Asked(request.command, request.path, body, request.headers.get("Cookie")))
        secret = (request.headers.get("Cookie") or "").partition("=")[2]
        answer: Any = {}
        if secret not in self.sessions:
            status = 401
        elif (request.command, request.path) == ("POST", "/logout"):
            self.sessions.discard(secret)
            status = 303
        else:
            status, answer = self.answers.get((request.command, request.path), (404, {}))
        content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        request.send_response(status)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(content)))
        request.send_header("Set-Cookie", "stranger=1")
        request.end_headers()
        request.wfile.write(content)
