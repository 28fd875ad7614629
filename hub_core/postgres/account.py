"""Which operating-system user runs the server: whoever asks, but never root (PostgreSQL refuses to run as root)."""

from __future__ import annotations

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path

from hub_core.errors import DatabaseUnavailableError

SYSTEM_USER = "wholechart"
_LAST_RESORT = "nobody"
_USERADD = ("/usr/sbin/useradd", "/sbin/useradd")


@dataclass(frozen=True, slots=True)
class Account:
    """An operating-system user that is not root."""

    name: str
    uid: int
    gid: int

    @property
    def is_another(self) -> bool:
        """Return whether this is another user than the one running this process."""
        return self.uid != os.geteuid()

    def give(self, path: Path | int) -> None:
        """Make this user the owner of one file or directory, when it is another user."""
        if self.is_another:
            os.chown(path, self.uid, self.gid)


def owner_of(directory: Path) -> Account:
    """Return the user who owns a directory.

    Raises:
        DatabaseUnavailableError: if that is root or a user this machine does not know.
    """
    owner = directory.stat().st_uid
    if owner == 0:
        raise DatabaseUnavailableError(f"{directory} belongs to root, and PostgreSQL does not run as root; chown it")
    return _account(owner)


def current() -> Account:
    """Return the user running this process, or the system user when that is root."""
    return system_user() if os.geteuid() == 0 else _account(os.geteuid())


def system_user() -> Account:
    """Return the system user `wholechart`, created when missing; `nobody` where that is not possible."""
    if not _exists(SYSTEM_USER):
        _create(SYSTEM_USER)
    entry = pwd.getpwnam(SYSTEM_USER if _exists(SYSTEM_USER) else _LAST_RESORT)
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _account(uid: int) -> Account:
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        raise DatabaseUnavailableError(
            f"user id {uid} has no name on this machine, which PostgreSQL needs; add it to /etc/passwd"
        ) from None
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _exists(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def _create(name: str) -> None:
    program = next((path for path in _USERADD if Path(path).is_file()), None)
    if program is None:
        return
    # Another process may be creating the same user: whether it exists is asked again, not read off the exit code.
    options = ("--system", "--user-group", "--no-create-home", "--home-dir=/nonexistent", "--shell=/usr/sbin/nologin")
    subprocess.run([program, *options, name], check=False, capture_output=True)
