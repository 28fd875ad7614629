"""The record, watched: how many messages wait, how long the oldest has waited, how far the change log is sealed."""

from __future__ import annotations

from typing import Any

import dagster as dg

from pipelines.build_run import BuildRun
from pipelines.defs.lake import RECORD

_STATE = """
SELECT (SELECT next_seq - 1 FROM change_head),
       (SELECT count(*) FROM message WHERE state = 'received'),
       (SELECT coalesce(extract(epoch FROM now() - min(received_at)), 0)::float FROM message WHERE state = 'received'),
       (SELECT count(*) FROM message WHERE state = 'rejected')
"""


@dg.observable_source_asset(key=RECORD, group_name="record", description="The versioned record and its message queue.")
def record(run: dg.ResourceParam[BuildRun]) -> dg.ObserveResult:
    """Say how the worker is doing."""
    with run.database.begin() as unit:
        row: Any = unit.driver.execute(_STATE).fetchone()
    sealed, waiting, oldest, rejected = row
    return dg.ObserveResult(
        data_version=dg.DataVersion(str(sealed)),
        metadata={"waiting": waiting, "oldest_waiting_seconds": oldest, "rejected": rejected, "sealed": sealed},
    )
