"""Where the fetching from a FHIR server stands: a small file, written after each step and read before the next."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from hub_core.clock import instant, now
from hub_core.errors import ConfigurationError

_STATE: Final = "state.json"


@dataclass(frozen=True, slots=True)
class State:
    """Where the fetching of a feed stands."""

    since: str | None = None
    """The server's time of the last pull that was fetched whole."""
    status: str | None = None
    """Address of the pull at work: of an export's status, or of the server that is searched."""
    taken_at: str | None = None
    """The server's time of the pull at work."""
    files: tuple[str, ...] = ()
    """What is still to be fetched: files of an export, or the next page of each search."""
    fetched: int = 0
    """Files or pages of it that are stored."""
    failures: int = 0
    """Steps that failed since one went well."""
    lost: int = 0
    """Pulls that had to be begun anew since one came to its end."""
    due_at: str = ""
    """When the next step is to be made."""
    pages: int = 0
    """Pages of the search at work that were fetched."""
    landmark: str | None = None
    """One of these pages: whoever comes by it again goes in a ring."""
    empty: int = 0
    """Pages in a row that held nothing."""


@dataclass(frozen=True, slots=True)
class Step:
    """What was done last, in words, and where the fetching of the feed stands now."""

    text: str
    state: State
    records: int = 0
    refused: int = 0

    @property
    def is_over(self) -> bool:
        """Whether a pull has come to its end."""
        return self.state.status is None and not self.state.failures

    def seconds_left(self, moment: datetime) -> float:
        """Return how long until the next step is due."""
        return max(0.0, (datetime.fromisoformat(self.state.due_at) - moment).total_seconds())


def due(*, seconds: float = 0, hours: float = 0) -> str:
    """Return the moment in so much time."""
    return instant(now() + timedelta(hours=hours, seconds=seconds))


def read(folder: Path) -> State:
    """Return where the fetching stands, as its folder says.

    Raises:
        ConfigurationError: if the file is damaged.
    """
    try:
        kept = json.loads((folder / _STATE).read_bytes())
        return State(**{**kept, "files": tuple(kept["files"])})
    except FileNotFoundError:
        return State()
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(f"{folder / _STATE} is damaged; remove it, and the next pull has all again") from error


def write(folder: Path, state: State) -> None:
    """Keep where the fetching stands, whole or not at all."""
    part = folder / f"{_STATE}.part"
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(asdict(state), file)
        file.flush()
        os.fsync(file.fileno())
    part.replace(folder / _STATE)
