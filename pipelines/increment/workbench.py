"""Opens the file where an increment is made and the warehouse it changes, and writes them once, at the end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from hub_core.quoting import literal

# Both files are thrown away if the work breaks off, so nothing is kept for a recovery. Rows that were deleted stay
# where they are, marked: closing the gaps writes whole tables anew, and the next whole build leaves them out.
_SETTINGS = """
SET TimeZone = 'UTC';
SET checkpoint_threshold = '1TB';
PRAGMA disable_checkpoint_on_shutdown;
SET max_vacuum_tasks = 0;
"""


@contextmanager
def open_increment(increment: Path, warehouse: Path, *, is_kept: bool) -> Iterator[duckdb.DuckDBPyConnection]:
    """Lend a connection to the increment, with the warehouse attached as `whole`, and write what became of them.

    Args:
        increment: the file where what changed is laid out.
        warehouse: the file that is brought up to date.
        is_kept: whether the increment is read again, or has served.
    """
    with duckdb.connect() as connection:
        connection.execute(_SETTINGS)
        for path, name in ((increment, "increment"), (warehouse, "whole")):
            connection.execute(f"ATTACH {literal(str(path))} AS {name} (RECOVERY_MODE NO_WAL_WRITES)")
        connection.execute("USE increment")
        yield connection
        connection.execute("CHECKPOINT whole")
        if is_kept:
            connection.execute("CHECKPOINT increment")
