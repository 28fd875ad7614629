"""A folder that senders drop files into: each is taken once, when it is complete, and ends in `done` or `failed`.

    incoming -> processing -> done | failed        (atomic renames within one file system)

The rename into `processing` is the claim: of two pollers, one finds the file gone. A claimed file is locked while it is
worked on; the kernel lets go of the lock when its process dies, however it dies, and the next poll takes the file up
again. Storing the same file twice is therefore possible and must do no harm: the message store sees duplicates.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from connectors.transport.files import UNFINISHED

Store: TypeAlias = Callable[[Path, str], str | None]
"""Stores the file at a path, known to its sender by a name; returns why it failed, or None when all of it is durable.

What it raises leaves the file in `processing`, for a later poll.
"""

_FOLDERS: Final = ("incoming", "processing", "done", "failed")
_REASON: Final = ".reason.txt"
_LONGEST_NAME: Final = 200
"""Bytes of a sender's name that are kept, the last ones: file systems allow 255 with what is put around them."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A file that was dealt with."""

    name: str
    """As the sender called it."""
    reason: str | None
    """Why it is in `failed`; None when it is in `done`."""


@dataclass(frozen=True, slots=True)
class _Sight:
    """What a file looked like, and since when."""

    look: tuple[int, int, int]
    """Size, time of the last change, and inode: a file of the same name may be another one."""
    since: float


class DropFolder:
    """One feed's folder, with `incoming`, `processing`, `done` and `failed` in it."""

    def __init__(
        self, folder: Path, *, settle_seconds: float = 2.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Make the folders where they are missing; a file is complete when nothing changed for `settle_seconds`."""
        self.incoming, self._processing, self.done, self.failed = (folder / name for name in _FOLDERS)
        for each in (self.incoming, self._processing, self.done, self.failed):
            each.mkdir(parents=True, exist_ok=True)
        self._settle_seconds = settle_seconds
        self._clock = clock
        self._seen: dict[str, _Sight] = {}

    def poll(self, store: Store) -> Iterator[Taken]:
        """Store every file that is complete, and every one whose worker died, and yield what became of each."""
        for path in sorted(self._processing.iterdir()):
            yield from self._work(path, store)
        for name in self._complete():
            if claimed := self._claim(name):
                yield from self._work(claimed, store)

    def _complete(self) -> list[str]:
        """Return the names of incoming files that did not change for long enough, in order of name."""
        now = self._clock()
        seen: dict[str, _Sight] = {}
        for entry in sorted(os.scandir(self.incoming), key=lambda entry: entry.name):
            if entry.name.startswith(".") or entry.name.lower().endswith(UNFINISHED):
                continue
            try:
                status = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue  # another poller was faster
            if not stat.S_ISDIR(status.st_mode):
                look = (status.st_size, status.st_mtime_ns, status.st_ino)
                before = self._seen.get(entry.name)
                seen[entry.name] = before if before and before.look == look else _Sight(look, now)
        self._seen = seen
        return [name for name, sight in seen.items() if now - sight.since >= self._settle_seconds]

    def _claim(self, name: str) -> Path | None:
        """Move a file to `processing` under a name nobody else can give; None if it is gone."""
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        kept = os.fsdecode(os.fsencode(name)[-_LONGEST_NAME:])
        claimed = self._processing / f"{stamp}-{secrets.token_hex(4)}-{kept}"
        self._seen.pop(name, None)
        try:
            (self.incoming / name).rename(claimed)
        except FileNotFoundError:
            return None
        return claimed

    def _work(self, path: Path, store: Store) -> Iterator[Taken]:
        name = path.name.split("-", 2)[-1]
        with _locked(path) as is_ours:
            if not is_ours:
                return
            reason = store(path, name) if _is_regular(path) else "not a regular file; links are not followed"
            if reason is not None:
                (self.failed / f"{path.name}{_REASON}").write_text(f"{reason}\n", encoding="utf-8")
            # Gone already: a link, which has no lock, was moved by another poller.
            with suppress(FileNotFoundError):
                path.rename((self.done if reason is None else self.failed) / path.name)
        yield Taken(name, reason)


@contextmanager
def _locked(path: Path) -> Iterator[bool]:
    """Hold the lock of a claimed file; say whether it is ours: not held by another, and still there."""
    if not _is_regular(path):
        # Links, pipes and devices are never opened; moving them away is all that is done.
        yield os.path.lexists(path)
        return
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        # What cannot be opened is nobody's to lock; storing it will say why.
        yield not isinstance(error, FileNotFoundError)
        return
    try:
        yield _lock(descriptor) and _is_same(path, descriptor)
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_same(path: Path, descriptor: int) -> bool:
    """Return whether the file that was opened still has its name: its worker may have finished in between."""
    try:
        return os.path.samestat(path.lstat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _is_regular(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except FileNotFoundError:
        return False
