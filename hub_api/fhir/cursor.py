"""Where the next page begins, and of which search: sealed, so that a link neither shows nor lets anyone change it.

The search's parameters travel inside, encrypted: a name searched for by POST must not turn up in the address of page
two (addresses end up in logs and histories).
"""

from __future__ import annotations

import base64
import os
import secrets
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from cryptography.fernet import Fernet, InvalidToken

from hub_core.errors import ConfigurationError, UnreadableError
from hub_core.fhir.canonical import dumps, load_object

if TYPE_CHECKING:
    from pathlib import Path

_KEY_FILE = "cursor.key"
_LIFETIME_SECONDS = 24 * 3600


@dataclass(frozen=True, slots=True)
class Cursor:
    """The end of one page: everything needed for the next."""

    path: str
    """The interaction it belongs to, below the FHIR base."""
    parameters: tuple[tuple[str, str], ...]
    before: int
    phase: str = ""
    """Which part of an answer of several parts is being read."""
    values: tuple[str | None, ...] = ()
    """Where in an order of its own the page ended."""


class CursorSeal:
    """Seals cursors with a key of the installation."""

    def __init__(self, keys_dir: Path) -> None:
        """Read the key, making it the first time.

        Raises:
            ConfigurationError: if the key file is damaged.
        """
        path = keys_dir / _KEY_FILE
        if not path.exists():
            _make_key(path)
        key = path.read_bytes()
        if len(key) != 32:
            raise ConfigurationError(f"{_KEY_FILE} in the keys folder is damaged: remove it and start again")
        self._fernet = Fernet(base64.urlsafe_b64encode(key))

    def seal(self, cursor: Cursor, principal_id: UUID) -> str:
        """Return the cursor as text that only this principal can use."""
        return self._fernet.encrypt(dumps({**asdict(cursor), "for": str(principal_id)})).decode().rstrip("=")

    def open(self, text: str, principal_id: UUID, path: str) -> Cursor:
        """Return a sealed cursor.

        Raises:
            UnreadableError: if it is not ours, too old, somebody else's, or of another interaction.
        """
        padded = text + "=" * (-len(text) % 4)
        try:
            content: dict[str, Any] = load_object(self._fernet.decrypt(padded.encode(), ttl=_LIFETIME_SECONDS))
        except InvalidToken as error:
            raise UnreadableError(
                "not a link of this server, or older than a day; search again", location="_cursor", code="value"
            ) from error
        if content.pop("for") != str(principal_id) or content["path"] != path:
            raise UnreadableError("this link belongs to another search", location="_cursor", code="value")
        parameters = tuple((name, value) for name, value in content["parameters"])
        return Cursor(**{**content, "parameters": parameters, "values": tuple(content.get("values", ()))})


def _make_key(path: Path) -> None:
    """Create the key whole or not at all; of two processes that try, the first one's key stays."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(secrets.token_bytes(32))
    try:
        os.link(part, path)
    except FileExistsError:
        pass
    finally:
        part.unlink()
