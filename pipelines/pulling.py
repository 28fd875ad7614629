"""Fetches from FHIR servers: each feed of transport `bulk` or `rest` in steps, the next one known after any crash.

    bulk: ask -> wait -> file by file: fetch, store      rest: page by page: fetch, store
    -> done, and again in some hours for what is new since

What is fetched is stored like a dropped file. What was stored and is fetched again changes nothing.
"""

from __future__ import annotations

import fcntl
import logging
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from connectors.transport.bulk_export import BulkServer
from connectors.transport.search_pages import SearchServer
from connectors.transport.smart_backend import BackendAuthorization, Client, read_key
from hub_core.clock import instant, now
from hub_core.errors import ConfigurationError, PartnerError, WholechartError
from pipelines import pull_state, pulling_exports, pulling_pages
from pipelines.pull_state import State, Step

if TYPE_CHECKING:
    from hub_core.feeds import Feed
    from hub_core.fhir_servers import RemoteServer
    from hub_core.settings import Settings
    from pipelines.installation import Installation

_log = logging.getLogger(__name__)

_FIRST_WAIT: Final = timedelta(seconds=5)
_LONGEST_WAIT: Final = timedelta(hours=1)
_TICK_SECONDS: Final = 4.0
_TRIES: Final = 4
"""Failures in a row after which a person who waits is told."""


class Puller:
    """Makes the steps that are due, of every feed that fetches; `tick` is called every few seconds."""

    def __init__(self, installation: Installation, feeds: Iterable[Feed]) -> None:
        """Begin with the feeds that say where to ask."""
        self._installation = installation
        self._feeds = [feed for feed in feeds if feed.server is not None]

    def tick(self) -> None:
        """Make the steps of each feed that are due, for some seconds; what goes wrong in one keeps no other waiting."""
        for feed in self._feeds:
            try:
                self._go_on(feed)
            except WholechartError as error:
                _log.warning("%s: %s", feed.name, error)

    def _go_on(self, feed: Feed) -> None:
        until = time.monotonic() + _TICK_SECONDS
        with _claimed(folder_of(self._installation.settings, feed)) as folder:
            if folder is None or not _is_due(folder):
                return
            with closing(Fetching(self._installation, feed, folder)) as fetching:
                while _is_due(folder) and time.monotonic() < until:
                    _log.info("%s: %s", feed.name, fetching.step().text)


def pull(
    installation: Installation, feed: Feed, tell: Callable[[str], object], wait: Callable[[float], object]
) -> Step:
    """Fetch all that a feed's server has, or has that is new, from where the last try ended; return the last step.

    Args:
        installation: where to store.
        feed: whose server.
        tell: told of each step.
        wait: lets so many seconds pass.

    Raises:
        ConfigurationError: if the feed fetches nothing, or its key is no key.
        PartnerError: if the server does not give it, after several tries.
    """
    with _claimed(folder_of(installation.settings, feed)) as folder:
        if folder is None:
            raise PartnerError("this feed is being fetched already")
        with closing(Fetching(installation, feed, folder)) as fetching:
            return _to_its_end(fetching, tell, wait)


def _to_its_end(fetching: Fetching, tell: Callable[[str], object], wait: Callable[[float], object]) -> Step:
    records = refused = 0
    while True:
        step = fetching.step()
        records, refused = records + step.records, refused + step.refused
        tell(step.text)
        if step.is_over:
            return replace(step, records=records, refused=refused)
        if max(step.state.failures, step.state.lost) > _TRIES:
            raise PartnerError(step.text)
        wait(step.seconds_left(now()))


class Fetching:
    """The steps of one feed, over connections and with a token that last as long as this does."""

    def __init__(self, installation: Installation, feed: Feed, folder: Path) -> None:
        """Prepare to go on from where the folder says.

        Raises:
            ConfigurationError: if the feed fetches nothing, or its key is no key.
        """
        self._installation = installation
        self._feed = feed
        self._folder = folder
        self._server = _server(installation.settings, feed)

    def step(self) -> Step:
        """Make the next step and keep where things stand then."""
        state = pull_state.read(self._folder)
        try:
            step = self._next(state)
        except PartnerError as error:
            step = _failed(state, error)
        pull_state.write(self._folder, step.state)
        return step

    def _next(self, state: State) -> Step:
        feed, server = self._feed, self._server
        if feed.export is not None and isinstance(server, BulkServer):
            return pulling_exports.next_step(self._installation, feed, feed.export, server, state, self._folder)
        if feed.search is not None and isinstance(server, SearchServer):
            return pulling_pages.next_step(self._installation, feed, feed.search, server, state, self._folder)
        raise ConfigurationError(f"feed {feed.name} has no FHIR server to fetch from")

    def close(self) -> None:
        """Give the connections back."""
        self._server.close()


def folder_of(settings: Settings, feed: Feed) -> Path:
    """Return the folder of what a feed fetches."""
    return settings.data_dir / "exports" / feed.name


def _failed(state: State, error: PartnerError) -> Step:
    """Return what follows a failure: the same step later, or all anew where this pull is lost."""
    failures, lost = state.failures + 1, state.lost + error.is_final
    wait = timedelta(seconds=error.retry_after) if error.retry_after else _FIRST_WAIT * (1 << min(failures + lost, 9))
    due_at = instant(now() + min(wait, _LONGEST_WAIT))
    if error.is_final:
        return Step(str(error), State(state.since, failures=failures, lost=lost, due_at=due_at))
    failed = replace(state, failures=failures, due_at=due_at)
    return Step(str(error), failed)


def _server(settings: Settings, feed: Feed) -> BulkServer | SearchServer:
    if feed.server is None:
        raise ConfigurationError(f"feed {feed.name} has no FHIR server to fetch from")
    authorization = _authorization(settings, feed.server)
    return (BulkServer if feed.export else SearchServer)(feed.server.url, authorization)


def _is_due(folder: Path) -> bool:
    return pull_state.read(folder).due_at <= instant(now())


def _authorization(settings: Settings, server: RemoteServer) -> BackendAuthorization | None:
    if server.client_id is None or server.key is None or server.key_id is None:
        return None
    path = settings.keys_dir / server.key
    try:
        key = read_key(path.read_bytes())
    except OSError as error:
        raise ConfigurationError(f"the key {path} cannot be read") from error
    return BackendAuthorization(server.url.rstrip("/"), Client(server.client_id, server.key_id, key, server.scope))


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
