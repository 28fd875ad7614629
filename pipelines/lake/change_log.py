"""Reads the record's sealed change log as Arrow: what PostgreSQL sends in binary becomes columns past Python."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from contextlib import closing
from itertools import accumulate

import pyarrow as pa
from adbc_driver_postgresql import StatementOptions, dbapi

from ehr_pm.record.bodies import unpack, unpack_all
from hub_core.errors import DamagedError, DatabaseUnavailableError

CHANGE = pa.schema(
    [
        pa.field("seq", pa.int64()),
        pa.field("resource_type", pa.string()),
        pa.field("resource_id", pa.string()),
        pa.field("version", pa.int32()),
        pa.field("source", pa.string()),
        pa.field("source_id", pa.string()),
        pa.field("location", pa.string()),
        pa.field("patient_id", pa.string()),
        pa.field("sensitivity", pa.string()),
        pa.field("event_at", pa.timestamp("us", "UTC")),
        pa.field("first_event_at", pa.timestamp("us", "UTC")),
        pa.field("authority", pa.int16()),
        pa.field("recorded_at", pa.timestamp("us", "UTC")),
        pa.field("message_id", pa.string()),
        pa.field("position", pa.int32()),
        pa.field("mapping_version", pa.string()),
        pa.field("deleted", pa.bool_()),
        pa.field("body", pa.string()),
    ]
)
"""Columns of a change, in the order of `ehr_pm.record.changes.Change`."""

_BATCH_BYTES = 4 * 1024 * 1024
"""What one batch takes as PostgreSQL sends it, bodies packed."""
_TEXT_BYTES = 32 * 1024 * 1024
"""Text that one part of a batch holds, but for its last body."""

# Nobody sorts the rows: `seq` says where each belongs. COPY takes no parameters; both are whole numbers of ours.
_READ = """
SELECT b.first_seq + v.ordinal AS seq, v.resource_type, v.resource_id::text, v.version, v.source, v.source_id,
    v.location, v.patient_id::text, v.sensitivity, v.event_at, v.first_event_at, v.authority, v.recorded_at,
    v.message_id::text, v.position, v.mapping_version, v.deleted, v.body
FROM change_batch b JOIN resource_version v USING (batch_key)
WHERE b.first_seq <= {last:d}
    AND b.first_seq >= coalesce((SELECT max(first_seq) FROM change_batch WHERE first_seq <= {first:d}), 0)
    AND b.first_seq + v.ordinal BETWEEN {first:d} AND {last:d}
"""


def read_log(conninfo: str, after: int, last: int) -> Iterator[pa.Table]:
    """Yield the changes numbered above `after` up to `last`, in batches, in no order.

    Args:
        conninfo: libpq address of the record's database.
        after: number of the last change that is known already.
        last: number of a sealed change.

    Raises:
        DatabaseUnavailableError: if the database does not answer.
        DamagedError: if a body was changed where it is stored; the message says whose.
    """
    try:
        connection = dbapi.connect(conninfo)
    except dbapi.Error as error:
        raise DatabaseUnavailableError("the database does not answer; see `wholechart doctor`") from error
    with closing(connection), closing(connection.cursor()) as cursor:
        cursor.adbc_statement.set_options(**{StatementOptions.BATCH_SIZE_HINT_BYTES.value: str(_BATCH_BYTES)})
        cursor.execute(_READ.format(first=after + 1, last=last))
        for batch in cursor.fetch_record_batch():
            yield from _unpacked(pa.Table.from_batches([batch]))


def _unpacked(packed: pa.Table) -> Iterator[pa.Table]:
    """Yield the changes of a batch with their bodies as text, in parts that memory holds."""
    after = 0
    try:
        for text, lengths in unpack_all(packed["body"].to_pylist(), _TEXT_BYTES):
            rows = packed.slice(after, len(lengths))
            yield rows.set_column(rows.num_columns - 1, "body", _column(text, lengths)).cast(CHANGE)
            after += len(lengths)
    except DamagedError:
        _name_damaged(packed)
        raise


def _name_damaged(packed: pa.Table) -> None:
    """Unpack the bodies of a batch one by one, so that the error says whose is damaged."""
    columns = ("body", "resource_type", "resource_id", "version")
    for body, *key in zip(*(packed[name].to_pylist() for name in columns), strict=True):
        unpack(body, *key)


def _column(text: bytes, lengths: list[int]) -> pa.Array:
    ends = array("i", accumulate(lengths, initial=0))
    return pa.Array.from_buffers(pa.binary(), len(lengths), [None, pa.py_buffer(ends), pa.py_buffer(text)])
