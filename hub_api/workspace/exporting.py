"""Tables to take along, as comma-separated values that no spreadsheet takes for formulas."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any, Final

from fastapi.responses import Response

_BEGINS_A_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
"""With any of these first, spreadsheets run what follows (OWASP, CSV injection)."""


def table(name: str, head: Sequence[str], rows: Iterable[Sequence[Any]]) -> Response:
    """Return rows as a file of a name that says nothing of anybody."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")  # RFC 4180
    writer.writerow(head)
    writer.writerows([_plain(cell) for cell in row] for row in rows)
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(text.getvalue().encode(), headers=headers, media_type="text/csv; charset=utf-8")


def _plain(value: Any) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if text.lstrip(" ").startswith(_BEGINS_A_FORMULA) else text
