"""Programs run as the server's user: clean environment, its identity, a directory it may read."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from hub_core.postgres.account import Account

_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
"""Nothing of the caller's: PGDATA, PGOPTIONS or a loader's variable there would reach the server."""


def run_as(account: Account, command: Sequence[str | Path], *, directory: Path) -> subprocess.CompletedProcess[str]:
    """Run a program to its end and return what it said."""
    return subprocess.run(
        command,
        check=False,
        capture_output=True,
        text=True,
        cwd=directory,
        env=_ENVIRONMENT,
        umask=0o077,
        user=account.uid if account.is_another else None,
        group=account.gid if account.is_another else None,
        extra_groups=[] if account.is_another else None,
    )


def start_as(
    account: Account, command: Sequence[str | Path], *, directory: Path, output: IO[bytes]
) -> subprocess.Popen[bytes]:
    """Start a program in a session of its own: a Ctrl-C at the terminal does not reach it."""
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        cwd=directory,
        env=_ENVIRONMENT,
        umask=0o077,
        start_new_session=True,
        user=account.uid if account.is_another else None,
        group=account.gid if account.is_another else None,
        extra_groups=[] if account.is_another else None,
    )
