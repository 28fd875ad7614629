"""Rows into a table by COPY, written as text: the cheapest way in, for a record is mostly rows of its index."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import psycopg

NOTHING = "\\N"
"""A null (PostgreSQL documentation, COPY, text format)."""

_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def cell(text: str | None) -> str:
    """Return a text as it stands in a line of COPY."""
    if text is None:
        return NOTHING
    return text if text.isprintable() and "\\" not in text else text.translate(_ESCAPES)


def copy_lines(connection: psycopg.Connection[Any], table: str, columns: str, lines: Iterable[str]) -> None:
    """Add lines of cells parted by tabs to a table; the names must be our own."""
    text = "".join(f"{line}\n" for line in lines)
    if not text:
        return
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
        copy.write(text)
