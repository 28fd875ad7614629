"""A FHIR server that exports, as small as the standard allows, and as unreliable as a test wants it."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt

from tests.unit.connectors.transport.answering import answering

TAKEN_AT = "2026-03-01T12:00:00Z"


@dataclass
class Exports:
    """What the server has, what it expects, and what it was asked."""

    files: list[bytes] = field(default_factory=list)
    deleted: list[bytes] = field(default_factory=list)
    public_key: Any = None
    """Of the client; None lets everybody in."""
    algorithm: str = "RS384"
    waits: int = 1
    """Looks at the status before the export is ready."""
    broken: dict[int, int] = field(default_factory=dict)
    """By file: after how many bytes the connection breaks, once."""
    failures: list[int] = field(default_factory=list)
    """Statuses of the next answers about the export."""
    elsewhere: str | None = None
    """Where the manifest says the files are, if not here."""
    is_packed: bool = False
    asked: list[str] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    base: str = ""

    @property
    def every(self) -> list[bytes]:
        """Return the files of resources, then those of what was deleted."""
        return self.files + self.deleted

    def token_for(self, form: dict[str, list[str]]) -> str | None:
        """Return a token for a good assertion, as SMART App Launch 2 tells a server to look at it."""
        claims = jwt.decode(
            form["client_assertion"][0], self.public_key, [self.algorithm], audience=f"{self.base}/token"
        )
        assert claims["iss"] == claims["sub"] == "wholechart"
        assert 0 < claims["exp"] - claims["iat"] <= 300
        if claims["jti"] in self.tokens:
            return None
        self.tokens.add(claims["jti"])
        return str(claims["jti"])


@contextmanager
def serving(exports: Exports) -> Iterator[Exports]:
    """Give the exports at an address of this machine."""
    with answering(_Handler, exports=exports) as base:
        exports.base = base
        yield exports


class _Handler(BaseHTTPRequestHandler):
    exports: Exports

    def do_GET(self) -> None:
        has, path = self.exports, urlsplit(self.path).path
        if path == "/.well-known/smart-configuration":
            return self._json({"token_endpoint": f"{has.base}/token"})
        has.asked.append(self.path)
        if has.public_key is not None and self._token() not in has.tokens:
            return self._empty(401)
        if path.startswith("/file/"):
            return self._file(int(path.rpartition("/")[2]))
        if has.failures:
            return self._empty(has.failures.pop(0), **{"Retry-After": "1"})
        if path.endswith("$export"):
            return self._empty(202, **{"Content-Location": f"{has.base}/status"})
        if has.waits:
            has.waits -= 1
            return self._empty(202, **{"Retry-After": "2"})
        where = has.elsewhere or has.base
        every = [{"type": "Patient", "url": f"{where}/file/{number}"} for number in range(len(has.every))]
        output, deleted = every[: len(has.files)], every[len(has.files) :]
        manifest = {"output": output[:-1], "deleted": deleted, "error": output[-1:]}
        return self._json({"transactionTime": TAKEN_AT, "requiresAccessToken": True, **manifest})

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        token = self.exports.token_for(form)
        if token is None:
            return self._empty(400)
        return self._json({"access_token": token, "token_type": "bearer", "expires_in": 300})

    def do_DELETE(self) -> None:
        self.exports.asked.append(f"DELETE {self.path}")
        self._empty(202)

    def _file(self, number: int) -> None:
        has = self.exports
        body = gzip.compress(has.every[number]) if has.is_packed else has.every[number]
        start = int(self.headers.get("Range", "bytes=0-")[len("bytes=") : -1])
        self.send_response(206 if start else 200)
        if has.is_packed:
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body) - start))
        self.end_headers()
        self.wfile.write(body[start : has.broken.pop(number, None)])

    def _token(self) -> str:
        return str(self.headers.get("Authorization", "")).removeprefix("Bearer ")

    def _json(self, content: dict[str, Any]) -> None:
        body = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _empty(self, status: int, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""
