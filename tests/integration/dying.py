"""A pull that dies again and again, as a machine does at the worst moment."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines import pull_state
from pipelines.pull_state import State


def die_at_every_second_note(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every second step of a pull die after its work and before it is noted."""
    write, steps = pull_state.write, iter(range(1000))

    def die_sometimes(folder: Path, state: State) -> None:
        if next(steps) % 2:
            raise KeyboardInterrupt
        write(folder, state)

    monkeypatch.setattr(pull_state, "write", die_sometimes)
