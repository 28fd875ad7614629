"""Becoming a command that is told to end when the process that started it ends, however it ended: stopped or killed.

`python -m pipelines.tether PARENT COMMAND...`: the kernel sends SIGTERM once the thread that started this process is
gone (prctl(2), PR_SET_PDEATHSIG). That outlives execve(2), so that programs of others are tethered as well as ours.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Sequence

_PR_SET_PDEATHSIG = 1


def tethered(command: Sequence[str]) -> list[str]:
    """Return the command that runs another, tethered to this process."""
    return [sys.executable, "-m", "pipelines.tether", str(os.getpid()), *command]


def main(parent: int, command: list[str]) -> None:
    """Become the command, unless the process it is tethered to ended meanwhile."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM))
    if os.getppid() == parent:
        os.execv(command[0], command)  # noqa: S606 - a list of our own making, no shell


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
