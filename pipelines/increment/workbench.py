"""Where an increment is made: a database in memory beside the warehouse that it changes and writes at the end."""

from __future__ import annotations

from pathlib import Path
from typing import Self

import duckdb

from hub_core.quoting import literal

# The warehouse is thrown away if the work breaks off, so nothing is kept for a recovery. Rows that were deleted stay
# where they are, marked: closing the gaps writes whole tables anew, and the next whole build leaves them out.
_SETTINGS = """
SET TimeZone = 'UTC';
SET checkpoint_threshold = '1TB';
PRAGMA disable_checkpoint_on_shutdown;
SET max_vacuum_tasks = 0;
"""


class Workbench:
    """A connection to an empty database, with a warehouse attached as `whole`.

    What memory does not hold goes to a folder beside the warehouse.
    """

    def __init__(self, warehouse: Path) -> None:
        """Open the warehouse to be brought up to date; nobody else may have it open."""
        self.connection = duckdb.connect()
        try:
            self.connection.execute(_SETTINGS)
            self.connection.execute(f"SET temp_directory = {literal(f'{warehouse}.tmp')}")
            self.connection.execute(f"ATTACH {literal(str(warehouse))} AS whole (RECOVERY_MODE NO_WAL_WRITES)")
        except BaseException:
            self.close()
            raise

    def finish(self) -> None:
        """Write what became of the warehouse, and close it."""
        self.connection.execute("CHECKPOINT whole")
        self.close()

    def close(self) -> None:
        """Close the warehouse; what was not written is gone."""
        self.connection.close()

    def __enter__(self) -> Self:
        """Return the workbench itself; leaving the block closes it."""
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
