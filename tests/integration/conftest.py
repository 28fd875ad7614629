"""One embedded PostgreSQL for the session; every test gets a database of its own, copied from a migrated one."""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import psycopg
import pytest
from argon2 import PasswordHasher

from hub_core import principals
from hub_core.database import Database
from hub_core.postgres.launcher import attach
from hub_core.postgres.places import locate
from hub_core.postgres.removal import discard
from hub_core.settings import Settings
from pipelines.installation import Installation, open_installation

_numbers = itertools.count()


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> Iterator[None]:
    """Hash passwords by the same algorithm at its least cost: nearly every test logs somebody in.

    The cost that holds outside of tests is looked at in tests/unit/hub_core/test_principals.py.
    """
    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(principals, "_hasher", cache(lambda: quick))
        yield


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of a running server that has a migrated template database."""
    folder = tmp_path_factory.mktemp("server")
    with attach(folder) as attachment:
        _forget_power_cuts(folder)
        with psycopg.connect(attachment.conninfo, autocommit=True) as connection:
            connection.execute("CREATE DATABASE migrated")
        template = _address(attachment.conninfo, "migrated")
        settings = Settings(database_url=template, data_dir=tmp_path_factory.mktemp("template"))
        with open_installation(settings):
            pass
        yield attachment.conninfo
    discard(folder)


def _forget_power_cuts(folder: Path) -> None:
    """Let the server of these tests wait for no disk: every test makes and drops a database, and none cuts the power.

    What must survive a crash is tested on servers of its own, which keep their settings.
    """
    cluster = locate(folder).cluster
    with (cluster / "postgresql.auto.conf").open("a", encoding="utf-8") as settings:
        # And no vacuum: its process is the superuser's, whom a test that drops its database may not send away.
        settings.write("fsync = off\nfull_page_writes = off\nsynchronous_commit = off\nautovacuum = off\n")
    os.kill(int((cluster / "postmaster.pid").read_text(encoding="utf-8").split()[0]), signal.SIGHUP)


@contextmanager
def fresh_installation(server: str, data_dir: Path) -> Iterator[Installation]:
    """Give an empty installation with a database of its own, and drop that database afterwards."""
    with fresh_database(server) as address, open_installation(Settings(database_url=address, data_dir=data_dir)) as new:
        yield new


@contextmanager
def fresh_database(server: str, template: str = "migrated") -> Iterator[str]:
    """Give the address of a new database, and drop it afterwards."""
    name = f"test_{next(_numbers)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
    yield _address(server, name)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def installation(server: str, tmp_path: Path) -> Iterator[Installation]:
    """Return an empty installation with a database and a data directory of its own."""
    with fresh_installation(server, tmp_path / "data") as opened:
        yield opened


@pytest.fixture
def database(installation: Installation) -> Database:
    """Return the database of an empty installation."""
    return installation.database


def _address(server: str, database: str) -> str:
    """Return the server's address with another database in it."""
    head, _, query = server.partition("?")
    return f"{head.rsplit('/', 1)[0]}/{database}{'?' if query else ''}{query}"
