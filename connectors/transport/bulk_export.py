"""Fetches exports of a FHIR server: kick-off, status, files, clean-up (HL7 FHIR Bulk Data Access 2.0, section 3.2).

Each call is one step that may be repeated: who calls keeps the status address and the manifest, so that an export goes
on after a crash where it was. Files are kept as they come over the wire, gzip too, and are continued where they broke.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias
from urllib.parse import urlencode

import httpx

from connectors.transport.web import is_safe, origin
from hub_core.errors import ConfigurationError, PartnerError

_PATIENCE: Final = httpx.Timeout(60.0, connect=10.0)
_SHORTEST, _LONGEST, _USUAL = 1.0, 3600.0, 15.0
"""Seconds between two looks at the status, whatever the server says."""
_MOST_FILES: Final = 100_000
_LARGEST_FILE: Final = 64 << 30
_TRANSIENT: Final = frozenset({408, 425, 429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Waiting:
    """The server is still at it."""

    seconds: float
    """How long to leave it in peace."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export consists of."""

    taken_at: str
    """The server's time: all that was known then is in it; the next export begins there."""
    files: tuple[str, ...]
    """Addresses of NDJSON files: resources, then what was deleted, then what went wrong."""


Status: TypeAlias = Waiting | Exported


class BulkServer:
    """A FHIR server that gives exports."""

    def __init__(self, base: str, authorization: httpx.Auth | None = None) -> None:
        """Prepare to ask; nothing is sent yet.

        Raises:
            ConfigurationError: if the address is not one of HTTPS, or of this machine.
        """
        if not is_safe(base):
            raise ConfigurationError("the address of an export must begin with https://: it gives patients' data")
        self._base = base.rstrip("/")
        self._client = httpx.Client(auth=authorization, timeout=_PATIENCE, trust_env=False)

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def kick_off(self, group: str | None, types: tuple[str, ...], since: str | None) -> str:
        """Ask for an export of a group, or of all patients, and return the address of its status.

        Raises:
            PartnerError: if the server does not take the order.
        """
        what = f"Group/{group}" if group else "Patient"
        wanted = {"_outputFormat": "application/fhir+ndjson", "_type": ",".join(types), "_since": since}
        query = urlencode({name: value for name, value in wanted.items() if value})
        headers = {"Accept": "application/fhir+json", "Prefer": "respond-async"}
        with self._asked("GET", f"{self._base}/{what}/$export?{query}", headers) as answer:
            status = answer.headers.get("Content-Location", "")
            if answer.status_code != httpx.codes.ACCEPTED or not self._is_theirs(status):
                raise PartnerError("the server took the order, but says not where it stands", is_final=True)
        return str(status)

    def look(self, status: str) -> Status:
        """Return how far an export is.

        Raises:
            PartnerError: if it failed, or its manifest cannot be read.
        """
        with self._asked("GET", status, {"Accept": "application/json"}) as answer:
            if answer.status_code == httpx.codes.ACCEPTED:
                return Waiting(_seconds(answer) or _USUAL)
            answer.read()
            return self._manifest(answer)

    def download(self, address: str, path: Path) -> None:
        """Fetch a file to a path, going on where an earlier try broke off.

        Raises:
            PartnerError: if it breaks off again; what came so far is kept.
        """
        part = path.with_name(f"{path.name}.part")
        have = part.stat().st_size if part.exists() else 0
        headers = {"Accept": "application/fhir+ndjson", "Accept-Encoding": "gzip"}
        if have:
            headers["Range"] = f"bytes={have}-"
        with self._asked("GET", address, headers, allowed=frozenset({416})) as answer:
            if answer.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
                part.unlink()  # it is not the file that was begun
                raise PartnerError("a file of the export changed while it was fetched")
            is_continued = answer.status_code == httpx.codes.PARTIAL_CONTENT
            _keep(answer, part, have if is_continued else 0)
        part.replace(path)

    def finish(self, status: str) -> None:
        """Tell the server that its files are no longer needed; whether it cares is its own matter."""
        try:
            with self._asked("DELETE", status, {}):
                pass
        except PartnerError:
            return

    def _manifest(self, answer: httpx.Response) -> Exported:
        try:
            manifest: Any = answer.json()
            taken_at = str(manifest["transactionTime"])
            lists = [manifest.get(name) or [] for name in ("output", "deleted", "error")]
            files = tuple(str(file["url"]) for several in lists for file in several)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise PartnerError("the manifest of the export cannot be read", is_final=True) from error
        if len(files) > _MOST_FILES or not all(is_safe(file) for file in files):
            raise PartnerError("the manifest of the export names files that are not fetched", is_final=True)
        if manifest.get("requiresAccessToken") and not all(map(self._is_theirs, files)):
            raise PartnerError("files of the export want a token, but lie with somebody else", is_final=True)
        return Exported(taken_at, files)

    def _is_theirs(self, address: str) -> bool:
        return is_safe(address) and origin(address) == origin(self._base)

    @contextmanager
    def _asked(
        self, method: str, address: str, headers: dict[str, str], allowed: frozenset[int] = frozenset()
    ) -> Iterator[httpx.Response]:
        """Give the answer to a request, its body unread.

        Raises:
            PartnerError: if there is none, it breaks off, or it says no.
        """
        try:
            with self._client.stream(method, address, headers=headers) as answer:
                if not answer.is_success and answer.status_code not in allowed:
                    code = answer.status_code
                    raise PartnerError(
                        f"the server answered {code}", retry_after=_seconds(answer), is_final=code not in _TRANSIENT
                    )
                yield answer
        except httpx.HTTPError as error:
            raise PartnerError(f"the server cannot be heard ({type(error).__name__})") from error


def _keep(answer: httpx.Response, part: Path, have: int) -> None:
    """Write what comes behind what is there, durably."""
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.seek(have)
        file.truncate()
        for chunk in answer.iter_raw():  # as it comes: what breaks off keeps all that came
            have += file.write(chunk)
            if have > _LARGEST_FILE:
                raise PartnerError("a file of the export is larger than anything reasonable", is_final=True)
        file.flush()
        os.fsync(file.fileno())


def _seconds(answer: httpx.Response) -> float | None:
    """Return how long a server wants to be left in peace, within reason; None if it does not say it in seconds."""
    text = answer.headers.get("Retry-After", "")
    return min(max(float(text), _SHORTEST), _LONGEST) if text.isascii() and text.isdigit() else None
