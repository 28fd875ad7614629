"""Fetches what FHIR servers export: each feed of transport `bulk` in steps, the next one known after any crash.

    ask -> wait -> file by file: fetch, store -> done, and again in some hours for what is new since

What is fetched is stored like a dropped file. A file that was stored and is fetched again brings duplicates only.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from connectors.transport.bulk_export import BulkServer, Waiting
from connectors.transport.files import look
from connectors.transport.smart_backend import BackendAuthorization, Client, read_key
from hub_core.clock import instant, now
from hub_core.errors import ConfigurationError, PartnerError, WholechartError
from pipelines.intake import Intake

if TYPE_CHECKING:
    from hub_core.feeds import Export, Feed
    from hub_core.settings import Settings
    from pipelines.installation import Installation

_log = logging.getLogger(__name__)

_FIRST_WAIT: Final = timedelta(seconds=10)
_LONGEST_WAIT: Final = timedelta(hours=1)
_TRIES: Final = 4
"""Failures in a row after which a person who waits is told."""
_STATE: Final = "state.json"


@dataclass(frozen=True, slots=True)
class State:
    """Where the exports of a feed stand."""

    since: str | None = None
    """The server's time of the last export that was fetched whole."""
    status: str | None = None
    """Address of the export at work."""
    taken_at: str | None = None
    files: tuple[str, ...] = ()
    """Files of the export at work that are still to be fetched."""
    fetched: int = 0
    """Files of it that are stored."""
    failures: int = 0
    """Steps that failed since one went well."""
    due_at: str = ""
    """When the next step is to be made."""


@dataclass(frozen=True, slots=True)
class Step:
    """What was done last, in words, and where the exports of the feed stand now."""

    text: str
    state: State
    records: int = 0
    refused: int = 0

    @property
    def is_over(self) -> bool:
        """Whether an export has come to its end."""
        return self.state.status is None and not self.state.failures

    def seconds_left(self, moment: datetime) -> float:
        """Return how long until the next step is due."""
        return max(0.0, (datetime.fromisoformat(self.state.due_at) - moment).total_seconds())


class Puller:
    """Makes the steps that are due, of every feed that has exports; `tick` is called every few seconds."""

    def __init__(self, installation: Installation, feeds: Iterable[Feed]) -> None:
        """Begin with the feeds that say where to ask."""
        self._installation = installation
        self._feeds = [feed for feed in feeds if feed.export is not None]

    def tick(self) -> None:
        """Make one step of each feed that is due; what goes wrong in one keeps none of the others waiting."""
        for feed in self._feeds:
            try:
                self._step(feed)
            except WholechartError as error:
                _log.warning("%s: %s", feed.name, error)

    def _step(self, feed: Feed) -> None:
        with _claimed(folder_of(self._installation.settings, feed)) as folder:
            if folder is not None and _read(folder).due_at <= instant(now()):
                _log.info("%s: %s", feed.name, make_step(self._installation, feed, folder).text)


def pull(
    installation: Installation, feed: Feed, tell: Callable[[str], object], wait: Callable[[float], object]
) -> Step:
    """Fetch one export of a feed to its end, beginning where the last try ended, and return the last step.

    Args:
        installation: where to store.
        feed: whose exports.
        tell: told of each step.
        wait: lets so many seconds pass.

    Raises:
        ConfigurationError: if the feed has no exports, or its key is no key.
        PartnerError: if the server does not give one, after several tries.
    """
    with _claimed(folder_of(installation.settings, feed)) as folder:
        if folder is None:
            raise PartnerError("an export of this feed is being fetched already")
        records = refused = 0
        while True:
            step = make_step(installation, feed, folder)
            records, refused = records + step.records, refused + step.refused
            tell(step.text)
            if step.is_over:
                return replace(step, records=records, refused=refused)
            if step.state.failures > _TRIES:
                raise PartnerError(step.text)
            wait(step.seconds_left(now()))


def make_step(installation: Installation, feed: Feed, folder: Path) -> Step:
    """Make the next step of a feed's exports and keep where they stand then.

    Raises:
        ConfigurationError: if the feed has no exports, or its key is no key.
    """
    if feed.export is None:
        raise ConfigurationError(f"feed {feed.name} has no export to fetch")
    state = _read(folder)
    server = _server(installation.settings, feed.export)
    try:
        step = _next(installation, feed, feed.export, server, state, folder)
    except PartnerError as error:
        step = _failed(state, error)
    finally:
        server.close()
    _write(folder, step.state)
    return step


def folder_of(settings: Settings, feed: Feed) -> Path:
    """Return the folder of a feed's exports."""
    return settings.data_dir / "exports" / feed.name


def _next(
    installation: Installation, feed: Feed, export: Export, server: BulkServer, state: State, folder: Path
) -> Step:
    if state.status is None:
        for left_over in folder.glob("export-*"):
            left_over.unlink()
        since = state.since or (instant(export.since) if export.since else None)
        asked = server.kick_off(export.group, export.types, since)
        return Step("an export was asked for", State(state.since, asked, due_at=_in(seconds=1)))
    status = state.status
    if state.taken_at is None:
        found = server.look(status)
        if isinstance(found, Waiting):
            return Step("the server is at it", replace(state, failures=0, due_at=_in(seconds=found.seconds)))
        state = replace(state, taken_at=found.taken_at, files=found.files, failures=0, due_at=_in())
        return Step(f"the export has {len(found.files)} files", state)
    if state.files:
        return _store(installation, feed, server, state, folder)
    server.finish(status)
    done = State(state.taken_at, due_at=_in(hours=export.every_hours))
    return Step(f"the export is stored, {state.fetched} files", done)


def _store(installation: Installation, feed: Feed, server: BulkServer, state: State, folder: Path) -> Step:
    """Fetch the next file of the export at work, store what it holds, and forget the file."""
    name = f"export-{state.fetched + 1}.ndjson"
    path = folder / name
    if not path.exists():
        server.download(state.files[0], path)
    intake = Intake(installation, feed)
    if path.stat().st_size:
        for found in look(path, name):
            intake.take_one(found)
    path.unlink()
    state = replace(state, files=state.files[1:], fetched=state.fetched + 1, failures=0, due_at=_in())
    tally = intake.tally
    text = f"{name}: {tally.records} records, {tally.duplicates} known, {tally.refused} refused"
    return Step(text, state, tally.records, tally.refused)


def _failed(state: State, error: PartnerError) -> Step:
    """Return what follows a failure: the same step later, or a new export where this one is lost."""
    wait = timedelta(seconds=error.retry_after) if error.retry_after else _FIRST_WAIT * (1 << min(state.failures, 9))
    failed = replace(state, failures=state.failures + 1, due_at=instant(now() + min(wait, _LONGEST_WAIT)))
    if error.is_final:
        failed = State(state.since, failures=failed.failures, due_at=failed.due_at)
    return Step(str(error), failed)


def _server(settings: Settings, export: Export) -> BulkServer:
    if export.client_id is None or export.key is None or export.key_id is None:
        return BulkServer(export.url)
    path = settings.keys_dir / export.key
    try:
        key = read_key(path.read_bytes())
    except OSError as error:
        raise ConfigurationError(f"the key {path} cannot be read") from error
    client = Client(export.client_id, export.key_id, key, export.scope)
    return BulkServer(export.url, BackendAuthorization(export.url.rstrip("/"), client))


def _in(*, seconds: float = 0, hours: float = 0) -> str:
    return instant(now() + timedelta(hours=hours, seconds=seconds))


@contextmanager
def _claimed(folder: Path) -> Iterator[Path | None]:
    """Give a folder while no other process works in it; None if one does."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
        else:
            yield folder
    finally:
        os.close(descriptor)


def _read(folder: Path) -> State:
    try:
        kept = json.loads((folder / _STATE).read_bytes())
        return State(**{**kept, "files": tuple(kept["files"])})
    except FileNotFoundError:
        return State()
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(
            f"{folder / _STATE} is damaged; remove it, and the next export has all again"
        ) from error


def _write(folder: Path, state: State) -> None:
    draft = folder / f"{_STATE}.new"
    with draft.open("w", encoding="utf-8") as file:
        json.dump(asdict(state), file)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(folder / _STATE)
