"""The database cluster of a data directory: made once by `initdb`, and given its role, database and extensions."""

from __future__ import annotations

import secrets
import shutil
import tempfile
from pathlib import Path

import psycopg
from psycopg import sql

from hub_core.errors import DatabaseUnavailableError
from hub_core.postgres.binaries import Binaries, copied_below, installed
from hub_core.postgres.configuration import PORT, SUPERUSER
from hub_core.postgres.places import Places, system_directory, write_whole
from hub_core.postgres.programs import run_as

ROLE = "wholechart"
DATABASE = "wholechart"
_INITDB_OPTIONS = (
    "--data-checksums",
    "--encoding=UTF8",
    # Built in: the order of text does not change when the machine's C library is upgraded, which corrupts indexes.
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--auth-local=peer",
    "--auth-host=reject",
    "--no-instructions",
)
_STAGING = "creating-"
_EXTENSIONS = ("btree_gist", "fuzzystrmatch", "pg_trgm", "unaccent")
_GRANTS = ("pg_monitor", "pg_checkpoint")


def usable_binaries(places: Places) -> Binaries:
    """Return programs that the server's user may run."""
    if not places.account.is_another:
        return installed()
    return copied_below(system_directory())


def create(places: Places, binaries: Binaries) -> None:
    """Make the cluster if there is none; it appears complete, or not at all.

    Raises:
        DatabaseUnavailableError: if `initdb` fails, or the cluster is of another major version.
    """
    if places.cluster.is_dir():
        _refuse_other_version(places, binaries)
        return
    _make_area(places)
    for remains in places.area.glob(f"{_STAGING}*"):  # of a process that was killed
        shutil.rmtree(remains, ignore_errors=True)
    staging = Path(tempfile.mkdtemp(prefix=_STAGING, dir=places.area))
    places.account.give(staging)
    try:
        _initdb(places, binaries, staging)
        staging.rename(places.cluster)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def password(places: Places) -> str:
    """Return the password of the role `wholechart`, made on first use."""
    if not places.password.exists():
        write_whole(places.password, secrets.token_hex(24))
    return places.password.read_text()


def prepare(places: Places, binaries: Binaries, socket: Path) -> None:
    """Give the running server its role, database and extensions; what is there already stays.

    The role owns its database and may make others, but is no superuser: SQL that goes astray reaches no file and no
    program of the machine.
    """
    with _connect_as_superuser(socket, "postgres") as connection:
        _prepare_role(connection, password(places))
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
            connection.execute(
                sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(DATABASE), sql.Identifier(ROLE))
            )
    with _connect_as_superuser(socket, DATABASE) as connection:
        # As the role: what it owns, its own backup can restore. These extensions are trusted ones.
        connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(ROLE)))
        for name in sorted(binaries.extensions().intersection(_EXTENSIONS)):
            connection.execute(sql.SQL("CREATE EXTENSION IF NOT EXISTS {}").format(sql.Identifier(name)))


def _connect_as_superuser(socket: Path, database: str) -> psycopg.Connection:
    return psycopg.connect(host=str(socket), port=PORT, user=SUPERUSER, dbname=database, autocommit=True)


def _prepare_role(connection: psycopg.Connection, secret: str) -> None:
    # The server gets a SCRAM verifier, never the password.
    verifier = connection.pgconn.encrypt_password(secret.encode(), ROLE.encode(), b"scram-sha-256").decode()
    verb = "ALTER" if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [ROLE]).fetchone() else "CREATE"
    connection.execute(
        sql.SQL("{} ROLE {} LOGIN CREATEDB REPLICATION PASSWORD {}").format(
            sql.SQL(verb), sql.Identifier(ROLE), sql.Literal(verifier)
        )
    )
    connection.execute(
        sql.SQL("GRANT {} TO {}").format(sql.SQL(", ").join(map(sql.Identifier, _GRANTS)), sql.Identifier(ROLE))
    )


def _make_area(places: Places) -> None:
    for directory in (places.area, places.log_dir):
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    places.account.give(places.log_dir)


def _initdb(places: Places, binaries: Binaries, directory: Path) -> None:
    command: list[str | Path] = [
        binaries.program("initdb"),
        f"--pgdata={directory}",
        f"--username={SUPERUSER}",
        *_INITDB_OPTIONS,
    ]
    answer = run_as(places.account, command, directory=places.area)
    if answer.returncode != 0:
        lines = answer.stderr.splitlines()
        complaint = next((line for line in lines if "error:" in line or "FATAL:" in line), answer.stderr.strip())
        raise DatabaseUnavailableError(f"no database could be created in {places.area}: {complaint}")


def _refuse_other_version(places: Places, binaries: Binaries) -> None:
    version = (places.cluster / "PG_VERSION").read_text().strip()
    if version != (ours := binaries.major_version()):
        raise DatabaseUnavailableError(
            f"the database in {places.cluster} is of PostgreSQL {version}, the programs are of {ours}; "
            f"back it up with the release that made it and restore it with this one"
        )
