"""The migrations of the whole database, and the one function that entry points run them with."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from ehr_pm.record.reindexing import begin_empty
from hub_core.database import driver_connection

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from hub_core.database import Database

_FOLDER = Path(__file__).parent
_LOCK = 0x57C0
"""Advisory lock held while migrating, so that of several starting processes one migrates and the others wait."""


def migrate(database: Database) -> None:
    """Bring the database to the newest schema; costs one query when it is there already."""
    with database.begin() as unit:
        if _revision(unit.connection) == _newest():
            return
        unit.connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        config = _config()
        config.attributes["connection"] = unit.connection
        command.upgrade(config, "head")
        begin_empty(driver_connection(unit.connection))


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    return config


@cache
def _newest() -> str | None:
    return ScriptDirectory.from_config(_config()).get_current_head()


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()
