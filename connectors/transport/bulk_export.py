"""Fetches exports of a FHIR server: kick-off, status, files, clean-up (HL7 FHIR Bulk Data Access 2.0, section 3.2).

Each call is one step that may be repeated: who calls keeps the status address and the manifest, so that an export goes
on after a crash where it was. Files are kept as they come over the wire, gzip too, and are continued where they broke.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias
from urllib.parse import urlencode

import httpx

from connectors.transport.fhir_server import FHIRServer, seconds
from connectors.transport.web import is_safe
from hub_core.errors import PartnerError

_USUAL: Final = 15.0
"""Seconds between two looks at the status, when the server says nothing."""
_MOST_FILES: Final = 100_000
_LARGEST_FILE: Final = 64 << 30


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


class BulkServer(FHIRServer):
    """A FHIR server that gives exports."""

    def kick_off(self, group: str | None, types: tuple[str, ...], since: str | None) -> str:
        """Ask for an export of a group, or of all patients, and return the address of its status.

        Raises:
            PartnerError: if the server does not take the order.
        """
        what = f"Group/{group}" if group else "Patient"
        wanted = {"_outputFormat": "application/fhir+ndjson", "_type": ",".join(types), "_since": since}
        query = urlencode({name: value for name, value in wanted.items() if value})
        headers = {"Accept": "application/fhir+json", "Prefer": "respond-async"}
        with self.asked("GET", f"{self.base}/{what}/$export?{query}", headers) as answer:
            status = answer.headers.get("Content-Location", "")
            if answer.status_code != httpx.codes.ACCEPTED or not self.is_theirs(status):
                raise PartnerError("the server took the order, but says not where it stands", is_final=True)
        return str(status)

    def look(self, status: str) -> Status:
        """Return how far an export is.

        Raises:
            PartnerError: if it failed, or its manifest cannot be read.
        """
        with self.asked("GET", status, {"Accept": "application/json"}) as answer:
            if answer.status_code == httpx.codes.ACCEPTED:
                return Waiting(seconds(answer) or _USUAL)
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
        with self.asked("GET", address, headers, allowed=frozenset({416})) as answer:
            if answer.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
                part.unlink()  # it is not the file that was begun
                raise PartnerError("a file of the export changed while it was fetched")
            is_continued = answer.status_code == httpx.codes.PARTIAL_CONTENT
            _keep(answer, part, have if is_continued else 0)
        part.replace(path)

    def finish(self, status: str) -> None:
        """Tell the server that its files are no longer needed; whether it cares is its own matter."""
        try:
            with self.asked("DELETE", status, {}):
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
        if manifest.get("requiresAccessToken") and not all(map(self.is_theirs, files)):
            raise PartnerError("files of the export want a token, but lie with somebody else", is_final=True)
        return Exported(taken_at, files)


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
