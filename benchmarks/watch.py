"""Sees, from outside the worker, when a message that is durable has become searchable."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future
from typing import Self
from uuid import UUID

from hub_core.database import Database
from hub_core.messages.arrival import Stored

_LOOK_SECONDS = 0.01
"""How often it looks: waits are known to that."""
_PATIENCE = 60.0


class Watch:
    """Looks for expected messages by a connection of its own; leaving the block waits for the last of them."""

    def __init__(self, database: Database) -> None:
        """Watch the messages of `database`."""
        self.waits: list[float] = []
        """Seconds from durable to searchable, of each message seen."""
        self._database = database
        self._durable_at: dict[UUID, float] = {}
        self._storing = 0
        self._changing = threading.Lock()
        self._is_complete = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def expect(self, storing: Future[Stored]) -> None:
        """Expect a message, which counts from the moment it is durable."""
        with self._changing:
            self._storing += 1
        storing.add_done_callback(self._note)

    def __enter__(self) -> Self:
        """Begin to look."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_complete.set()
        self._thread.join(_PATIENCE)
        assert not self._thread.is_alive(), "messages stored are not searchable after a minute"

    def _note(self, storing: Future[Stored]) -> None:
        moment = time.perf_counter()
        with self._changing:
            self._durable_at[storing.result().message_id] = moment
            self._storing -= 1

    def _run(self) -> None:
        with self._database.connect(autocommit=True) as connection:
            while not self._is_complete.is_set() or self._storing or self._durable_at:
                with self._changing:
                    waiting = list(self._durable_at)
                rows = connection.execute(
                    "SELECT message_id FROM message WHERE message_id = ANY(%s) AND state <> 'received'", (waiting,)
                ).fetchall()
                moment = time.perf_counter()
                with self._changing:
                    self.waits += [moment - self._durable_at.pop(message_id) for (message_id,) in rows]
                time.sleep(_LOOK_SECONDS)
