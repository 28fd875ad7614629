"""Advisory file locks (flock): the kernel drops them when a process dies, however it dies."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

SHARED = fcntl.LOCK_SH
EXCLUSIVE = fcntl.LOCK_EX


class FileLock:
    """One open lock file; holds nothing until asked, and everything it holds ends with `close`."""

    def __init__(self, descriptor: int) -> None:
        """Take over an open file descriptor, one inherited from a parent process say."""
        self.descriptor = descriptor

    @classmethod
    def open(cls, path: Path) -> FileLock:
        """Open the lock file at `path`, creating it for its directory's owner when missing."""
        lock = cls(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))
        if os.geteuid() == 0:
            owner = path.parent.stat()
            os.fchown(lock.descriptor, owner.st_uid, owner.st_gid)
        return lock

    def try_acquire(self, mode: int) -> bool:
        """Take the lock in `mode` (SHARED or EXCLUSIVE) if nobody is in the way; return whether it is held now."""
        try:
            fcntl.flock(self.descriptor, mode | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def release(self) -> None:
        """Give the lock back, keeping the file open."""
        fcntl.flock(self.descriptor, fcntl.LOCK_UN)

    def close(self) -> None:
        """Close the file; the lock ends unless another process inherited the descriptor."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1
