"""Where message bodies lie: sealed, in a partition per feed and month, or as a file beside the database when large.

A partition is a shelf: retention empties it by dropping it, which gives the disk back at once.
"""

from __future__ import annotations

import hashlib
import logging
import os
import threading
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from psycopg import sql

from hub_core.errors import DamagedError

if TYPE_CHECKING:
    import psycopg

    from hub_core.database import Database
    from hub_core.keyring import Keyring

_log = logging.getLogger(__name__)

BLOB_BYTES = 1024 * 1024
"""Bodies from this size on are kept as files."""


class Bodies:
    """The bodies of one installation."""

    def __init__(self, database: Database, keyring: Keyring, blob_dir: Path) -> None:
        """Keep large bodies in `blob_dir`, the others in `database`, all sealed by `keyring`."""
        self._database = database
        self._keyring = keyring
        self._blob_dir = blob_dir
        self._known: set[str] = set()
        self._making = threading.Lock()

    def shelf(self, feed: str, moment: datetime) -> str:
        """Return the shelf for a message of `feed` that arrived at `moment`, made where it is missing."""
        shelf = f"{feed}:{moment:%Y-%m}"
        if shelf not in self._known:
            with self._making:
                self._make_partition(shelf)
                self._known.add(shelf)
        return shelf

    def place(self, body: bytes, digest: bytes) -> tuple[bytes | None, str | None]:
        """Return the sealed body for the database row, or the name of the durable file it was written to."""
        sealed = self._keyring.seal(body)
        if len(body) < BLOB_BYTES:
            return sealed, None
        name = digest.hex()
        _write_durably(self._blob_path(name), sealed)
        return None, name

    def read(self, connection: psycopg.Connection[Any], shelf: str, message_ids: list[UUID]) -> dict[UUID, bytes]:
        """Return the bodies of messages on one shelf, exactly as they arrived.

        One that is no longer kept is left out, and one that was damaged, which is logged: nobody waits for it.
        """
        rows = connection.execute(
            "SELECT message_id, body, blob FROM message_body WHERE shelf = %s AND message_id = ANY(%s)",
            (shelf, message_ids),
        ).fetchall()
        sealed = {message_id: self._sealed(body, blob) for message_id, body, blob in rows}
        opened = ((message_id, self._opened(message_id, body)) for message_id, body in sealed.items())
        return {message_id: body for message_id, body in opened if body is not None}

    def _opened(self, message_id: UUID, sealed: bytes | None) -> bytes | None:
        if sealed is None:
            return None
        try:
            return self._keyring.unseal(sealed)
        except DamagedError as error:
            _log.warning("message_body %s: %s", message_id, error)
            return None

    def _sealed(self, body: bytes | None, blob: str | None) -> bytes | None:
        if blob is None:
            return body
        path = self._blob_path(blob)
        return path.read_bytes() if path.exists() else None

    def _blob_path(self, name: str) -> Path:
        return self._blob_dir / name[:2] / name

    def _make_partition(self, shelf: str) -> None:
        """Create the partition in a transaction of its own: its lock on the parent must be short."""
        table = f"message_body_{hashlib.sha256(shelf.encode()).hexdigest()[:16]}"
        with self._database.connect(autocommit=True) as connection:
            if connection.execute("SELECT to_regclass(%s)", (table,)).fetchone() != (None,):
                return
            connection.execute("SELECT pg_advisory_lock(hashtext('message_body partitions'))")
            connection.execute(
                sql.SQL("CREATE TABLE IF NOT EXISTS {} PARTITION OF message_body FOR VALUES IN ({})").format(
                    sql.Identifier(table), sql.Literal(shelf)
                )
            )


def _write_durably(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, on disk before this returns; a file already there has the same content."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
