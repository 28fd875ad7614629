"""One installation, opened: the composition root that the commands and background processes share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ehr_pm.migrations import migrate
from hub_core.database import Database
from hub_core.errors import ConfigurationError
from hub_core.keyring import Keyring
from hub_core.messages.store import MessageStore
from hub_core.principals import PASSWORD_FILE, ensure_administrator
from hub_core.settings import Settings
from pipelines.worker import Worker


@dataclass(frozen=True, slots=True)
class Installation:
    """The parts of an opened installation."""

    settings: Settings
    database: Database
    keyring: Keyring
    store: MessageStore

    def worker(self) -> Worker:
        """Return a worker of this installation."""
        return Worker(self.database, self.store, self.keyring, self.settings)


def settings_for(folder: Path | None) -> Settings:
    """Return the settings, with the data directory a command was given, if any."""
    if folder is None:
        return Settings()
    return Settings(data_dir=folder.expanduser().resolve())


@contextmanager
def open_installation(settings: Settings) -> Iterator[Installation]:
    """Give the installation of these settings, its database running and its schema up to date.

    Raises:
        ConfigurationError: if the data directory cannot be written.
        DatabaseUnavailableError: if PostgreSQL cannot be reached or started.
    """
    make_data_dir(settings)
    with Database(settings) as database:
        migrate(database)
        keyring = Keyring(settings.keys_dir)
        yield Installation(settings, database, keyring, MessageStore(database, keyring, settings))


def administrator(installation: Installation) -> tuple[str, str]:
    """Return the administrator's name, made on first start, and the first password or where to look for it."""
    kept = installation.settings.keys_dir / PASSWORD_FILE
    with installation.database.begin() as unit:
        name, password = ensure_administrator(unit.driver, installation.settings.keys_dir)
    if password is None:
        password = kept.read_text(encoding="utf-8").strip() if kept.exists() else "the password you gave it"
    return name, password


def make_data_dir(settings: Settings) -> None:
    """Create the data directory, for its owner only.

    Raises:
        ConfigurationError: if that is not allowed or not possible.
    """
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        for folder in (settings.feeds, settings.log_dir):
            folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"the data directory {settings.data_dir} cannot be used: {error.strerror}; choose another with --dir"
        ) from error
