"""Rows into a table by COPY, written as text: the cheapest way in, for a record is mostly rows of its index."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
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


@lru_cache(maxsize=4096)
def common_cell(text: str | None) -> str:
    """Return a text as it stands in a line of COPY, one that comes again and again: a code's system, its name."""
    return cell(text)


def copy_lines(connection: psycopg.Connection[Any], table: str, columns: str, lines: Iterable[str]) -> None:
    """Add lines of cells parted by tabs to a table; the names must be our own."""
    text = "\n".join(lines)
    if not text:
        return
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
        copy.write(f"{text}\n")
