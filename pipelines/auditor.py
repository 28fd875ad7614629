"""The auditor: seals the audit trail every second, and signs from time to time how long it has become."""

from __future__ import annotations

import time
from pathlib import Path

from hub_core.auditing import chain, checkpoints
from hub_core.auditing.verification import Verification, verify
from hub_core.clock import now
from hub_core.settings import Settings
from pipelines.installation import Installation

_CHECKPOINT_SECONDS = 300.0


class Auditor:
    """Keeps the trail of one installation sealed; `tick` is called every second."""

    def __init__(self, installation: Installation) -> None:
        """Begin with a checkpoint soon."""
        self._installation = installation
        self._due = time.monotonic()

    def tick(self) -> None:
        """Seal what was written, and sign a checkpoint when one is due."""
        seal(self._installation)
        if time.monotonic() >= self._due:
            sign(self._installation)
            self._due = time.monotonic() + _CHECKPOINT_SECONDS


def seal(installation: Installation) -> int:
    """Link every event that is committed, and return how many were linked."""
    sealed = 0
    while True:
        with installation.database.begin() as unit:
            portion = chain.seal(unit.driver, installation.keyring.chain_key)
        if not portion:
            return sealed
        sealed += portion


def sign(installation: Installation) -> int:
    """Append a checkpoint for each chain that has grown, and return how many.

    Raises:
        CheckpointError: if the file of checkpoints was changed.
    """
    with installation.database.begin() as unit:
        heads = list(chain.heads(unit.driver))
    path = checkpoint_file(installation.settings)
    return checkpoints.append(path, installation.keyring.checkpoint_seed, heads, now())


def check(installation: Installation) -> Verification:
    """Seal, and return what is wrong with the trail.

    Raises:
        CheckpointError: if the file of checkpoints was changed.
    """
    seal(installation)
    kept = list(checkpoints.read(checkpoint_file(installation.settings), installation.keyring.checkpoint_seed))
    with installation.database.one_moment() as moment:
        return verify(moment, installation.keyring.chain_key, kept)


def checkpoint_file(settings: Settings) -> Path:
    """Return the file of checkpoints."""
    return (settings.checkpoint_dir or settings.data_dir / "checkpoints") / checkpoints.FILE
