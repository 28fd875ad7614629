"""The server's configuration, written anew at every start: durable, socket only, and no patient's data in its log."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

from hub_core.postgres.binaries import Binaries
from hub_core.postgres.places import Places, write_whole

PORT = 5432
"""Only a suffix of the socket's name: nothing listens on the network."""
SUPERUSER = "postgres"
"""Bootstrap role, for the operating-system users below only; the product works as `wholechart`, which is not one."""

_SETTINGS = """\
# Written by Wholechart at every start of the server. Settings of your own go into data/postgresql.conf
# (those named here win) or are made with ALTER SYSTEM (which wins over both).
include 'data/postgresql.conf'

listen_addresses = ''
port = {port}
unix_socket_directories = {socket_directory}
unix_socket_permissions = 0777
hba_file = {hba_file}
ident_file = {ident_file}
password_encryption = 'scram-sha-256'
max_connections = 100
# A batch locks the patients and identifiers it is about: thousands, where it brings a whole practice.
max_locks_per_transaction = 256

fsync = on
synchronous_commit = on
full_page_writes = on
wal_compression = {wal_compression}
# Half of what a heavy load writes in a minute or two: it stays on disk as long as the database does.
max_wal_size = '384MB'
shared_buffers = '256MB'
jit = off
autovacuum = on
timezone = 'UTC'

# Statements, their parameters, and the DETAIL and CONTEXT of errors hold patients' data, and the text of an error may
# too ('invalid input syntax for type date: ...'). Errors go to the client that caused them, never into the log.
log_min_messages = log
log_min_error_statement = panic
log_error_verbosity = terse
log_statement = 'none'
log_min_duration_statement = -1
log_min_duration_sample = -1
log_transaction_sample_rate = 0
log_duration = off
log_parameter_max_length = 0
log_parameter_max_length_on_error = 0
debug_print_parse = off
debug_print_rewritten = off
debug_print_plan = off
logging_collector = on
log_destination = 'stderr'
log_directory = {log_directory}
log_filename = 'server-%a.log'
log_file_mode = 0600
log_truncate_on_rotation = on
log_rotation_age = '1d'
log_rotation_size = 0
log_line_prefix = '%m [%p] %q%u@%d '
log_timezone = 'UTC'
"""

_HBA = f"""\
# Written by Wholechart at every start of the server.
local all         {SUPERUSER} peer map=operator
local all         all      scram-sha-256
local replication all      scram-sha-256
"""


def write_configuration(places: Places, binaries: Binaries, socket_directory: Path) -> None:
    """Write `server.conf`, `pg_hba.conf` and `pg_ident.conf` into the server's area."""
    hba, ident = places.area / "pg_hba.conf", places.area / "pg_ident.conf"
    settings = _SETTINGS.format(
        socket_directory=_quoted(socket_directory),
        port=PORT,
        hba_file=_quoted(hba),
        ident_file=_quoted(ident),
        log_directory=_quoted(places.log_dir),
        wal_compression="lz4" if binaries.is_built_with("--with-lz4") else "off",
    )
    operators = sorted({places.account.name, pwd.getpwuid(os.geteuid()).pw_name})
    # 0644: the server's user must read what root wrote; none of it is a secret.
    write_whole(places.area / "server.conf", settings, mode=0o644)
    write_whole(hba, _HBA, mode=0o644)
    write_whole(ident, "".join(f'operator "{name}" {SUPERUSER}\n' for name in operators), mode=0o644)


def _quoted(path: Path) -> str:
    """Return a path as configuration files say it: unlike in SQL, a backslash escapes there."""
    return "'" + str(path).replace("\\", "\\\\").replace("'", "''") + "'"
