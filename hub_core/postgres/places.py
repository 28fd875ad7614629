"""Where everything of one data directory lives: control files in it, the server's own where its user may read.

    DATA/postgres/            control: users.lock supervisor.lock supervisor.log password failure socket [location]
    DATA/postgres/server/     the server's area, when the server runs as the same user
    /var/lib/wholechart/KEY-* the server's area, when root asks; DATA/postgres/location says which
        data/ log/ server.conf pg_hba.conf pg_ident.conf startup.log data-directory

KEY is a hash of the data directory's path, so that several data directories coexist. Parent directories keep their
permissions, whatever they are.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from hub_core.errors import DatabaseUnavailableError
from hub_core.postgres.account import Account, current, owner_of

SYSTEM_DIR = Path("/var/lib/wholechart")
_RUN_DIR = Path("/run/wholechart")
_LONGEST_SOCKET_DIR = 80
"""Bytes; a socket's whole path is limited to 107 on Linux and 103 on macOS."""


@dataclass(frozen=True, slots=True)
class Places:
    """The paths of one embedded server, and the user it runs as."""

    data_dir: Path
    control: Path
    area: Path
    account: Account

    @property
    def cluster(self) -> Path:
        """Return PostgreSQL's own data directory (PGDATA)."""
        return self.area / "data"

    @property
    def log_dir(self) -> Path:
        """Return the folder of the server's log."""
        return self.area / "log"

    @property
    def password(self) -> Path:
        """Return the file of the password of the role `wholechart`."""
        return self.control / "password"

    @property
    def failure(self) -> Path:
        """Return the file in which a supervisor says why it gave up."""
        return self.control / "failure"

    @property
    def socket(self) -> Path:
        """Return the file that names the directory of the server's socket."""
        return self.control / "socket"

    @property
    def key(self) -> str:
        """Return the short name of the data directory: a hash of its path."""
        return _key(self.data_dir)


def _key(data_dir: Path) -> str:
    return hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]


def locate(data_dir: Path) -> Places:
    """Return the places of a data directory, creating the control directory when missing.

    Raises:
        DatabaseUnavailableError: if the data directory points to a server area that is not there, or not its own.
    """
    data_dir = data_dir.expanduser().resolve()
    control = data_dir / "postgres"
    control.mkdir(mode=0o700, parents=True, exist_ok=True)
    own_area, pointer = control / "server", control / "location"
    if os.geteuid() != 0:
        if pointer.exists():
            raise DatabaseUnavailableError(f"the database of {data_dir} was made by root; run this as root")
        return Places(data_dir, control, own_area, current())
    if (own_area / "data").is_dir():
        return Places(data_dir, control, own_area, owner_of(own_area / "data"))
    if not pointer.exists():
        _claim_area(data_dir, pointer)
    return _pointed_to(data_dir, control, Path(pointer.read_text()))


def system_directory() -> Path:
    """Return the directory of the server areas and programs made by root, creating it when missing."""
    _make_passable(SYSTEM_DIR)
    return SYSTEM_DIR


def _make_passable(directory: Path) -> None:
    """Create a directory that every user may enter, whatever the umask; one that exists stays as it is."""
    if not directory.is_dir():
        directory.mkdir(parents=True, exist_ok=True)
        directory.chmod(0o755)


def _claim_area(data_dir: Path, pointer: Path) -> None:
    """Make a server area of its own for a data directory and point to it; the first of several processes wins.

    The area gets a new name even when an earlier data directory of the same path left one: that one is somebody's
    data, which nobody asked to see again or to remove.
    """
    area = Path(tempfile.mkdtemp(prefix=f"{_key(data_dir)}-", dir=system_directory()))
    # The server's user passes through its area, but owns only what is its own in it.
    area.chmod(0o755)
    write_whole(area / "data-directory", str(data_dir), mode=0o644)
    staging = pointer.with_name(f".{area.name}")
    write_whole(staging, str(area))
    try:
        pointer.hardlink_to(staging)  # unlike a rename, fails when there is one
    except FileExistsError:
        shutil.rmtree(area)
    finally:
        staging.unlink()


def _pointed_to(data_dir: Path, control: Path, area: Path) -> Places:
    is_made = (area / "data").is_dir()
    places = Places(data_dir, control, area, owner_of(area / "data") if is_made else current())
    if not is_made and (places.password.exists() or not area.is_dir()):
        raise DatabaseUnavailableError(
            f"{control / 'location'} says the database is in {area}, which is not there; restore a backup or, "
            f"to begin with an empty database, remove {control}"
        )
    _refuse_copy(data_dir, area)
    return places


def _refuse_copy(data_dir: Path, area: Path) -> None:
    """Refuse a data directory copied from another: two of them would run one database against each other."""
    original = Path((area / "data-directory").read_text())
    pointer = original / "postgres" / "location"
    if original == data_dir:
        return
    if pointer.is_file() and pointer.read_text() == str(area):
        raise DatabaseUnavailableError(
            f"{data_dir} is a copy of {original}, which owns the database in {area}; use backup and restore to copy it"
        )
    with suppress(FileExistsError, FileNotFoundError):  # another process is writing the same
        write_whole(area / "data-directory", str(data_dir), mode=0o644)  # the data directory was moved


def write_whole(path: Path, text: str, *, mode: int = 0o600) -> None:
    """Replace a file atomically and durably; it belongs to the owner of its directory."""
    staging = path.with_name(f".{path.name}.new")
    staging.unlink(missing_ok=True)  # of a process that was killed
    # Exclusively: in another user's directory root follows no link laid out for it.
    descriptor = os.open(staging, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        os.fchmod(descriptor, mode)
        if os.geteuid() == 0:
            owner = path.parent.stat()
            os.fchown(descriptor, owner.st_uid, owner.st_gid)
        file.flush()
        os.fsync(descriptor)
    staging.replace(path)


def socket_directory(places: Places) -> Path:
    """Return a short directory for the socket that only the server's user (and root) may enter, creating it."""
    directory = _socket_parent() / f"wholechart-{places.account.uid}-{places.key}"
    try:
        directory.mkdir(mode=0o700)
        places.account.give(directory)
    except FileExistsError:
        found = directory.lstat()
        if found.st_uid != places.account.uid or found.st_mode & 0o170777 != 0o040700:
            # In a directory anyone may write to, someone else took the name.
            directory = Path(tempfile.mkdtemp(prefix="wholechart-", dir=directory.parent))
            places.account.give(directory)
    return directory


def _socket_parent() -> Path:
    if os.geteuid() == 0 and _RUN_DIR.parent.is_dir():
        _make_passable(_RUN_DIR)
        return _RUN_DIR
    parent = Path(tempfile.gettempdir())
    return parent if len(os.fsencode(parent)) <= _LONGEST_SOCKET_DIR - 40 else Path("/tmp")  # noqa: S108 - short
