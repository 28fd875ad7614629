"""Drop folders: what senders put there is taken in by the feed whose folder it is."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from connectors.transport.drop_folder import DropFolder
from connectors.transport.files import look
from hub_core.group_commit import is_lost_database
from pipelines.intake import Intake

if TYPE_CHECKING:
    from hub_core.feeds import Feed
    from hub_core.settings import Settings
    from pipelines.installation import Installation


class DropFolders:
    """The drop folders of an installation's feeds."""

    def __init__(self, installation: Installation, feeds: Iterable[Feed]) -> None:
        """Make the folders of the feeds that have one."""
        self._installation = installation
        self._folders = [
            (feed, DropFolder(drop_folder(installation.settings, feed))) for feed in feeds if feed.transport == "folder"
        ]

    def poll(self) -> int:
        """Store every complete file, and return how many were dealt with."""
        return sum(1 for feed, folder in self._folders for _ in folder.poll(partial(self._store, feed)))

    def _store(self, feed: Feed, path: Path, name: str) -> str | None:
        """Store one file; return why it failed when nothing in it could be taken."""
        intake = Intake(self._installation, feed)
        try:
            for found in look(path, name):
                intake.take_one(found)
        except psycopg.Error as error:
            if is_lost_database(error):
                raise
            return f"the message store could not take this file ({type(error).__name__})"
        tally = intake.tally
        if tally.skipped:
            return tally.skipped[0].reason
        return None if tally.records > tally.refused else "nothing in this file could be read; see the feed's rejects"


def drop_folder(settings: Settings, feed: Feed) -> Path:
    """Return the folder of a feed, in which `incoming` is where senders drop files."""
    return settings.drop_dir / (feed.folder or feed.name)
