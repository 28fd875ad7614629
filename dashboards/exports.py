"""Tables to take away: CSV that no spreadsheet runs as a formula, and Parquet that keeps the types."""

from __future__ import annotations

import io
from functools import partial
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

if TYPE_CHECKING:
    from dashboards.answers import Visitor

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""What makes a spreadsheet read a cell as a formula (OWASP, CSV injection)."""


def to_csv(frame: pd.DataFrame) -> bytes:
    """Return the table as CSV in UTF-8, marked so that Excel reads it as such; text is never a formula."""
    safe = frame.rename(columns=lambda name: _harmless(str(name)))
    for position in range(safe.shape[1]):
        column = safe.iloc[:, position]
        if not pd.api.types.is_numeric_dtype(column):
            safe.isetitem(position, list(map(_harmless, column)))
    return safe.to_csv(index=False, lineterminator="\r\n").encode("utf-8-sig")


def to_parquet(frame: pd.DataFrame) -> bytes:
    """Return the table as one Parquet file."""
    file = io.BytesIO()
    frame.to_parquet(file, index=False)
    return file.getvalue()


def offer(name: str, frame: pd.DataFrame) -> None:
    """Show whoever may export the buttons that download a table; a file is made only when its button is pressed.

    Args:
        name: names the files, so it never holds anything of a patient.
        frame: the table as shown.
    """
    visitor: Visitor | None = st.session_state.get("visitor")
    if visitor is None or "export.run" not in visitor.actions:
        return
    with st.container(horizontal=True, gap="small"):
        for label, ending, mime, write in (
            ("CSV", "csv", "text/csv", to_csv),
            ("Parquet", "parquet", "application/vnd.apache.parquet", to_parquet),
        ):
            st.download_button(
                label,
                data=partial(write, frame),
                file_name=f"wholechart-{name}.{ending}",
                mime=mime,
                key=f"download-{name}-{ending}",
                icon=":material/download:",
                on_click="ignore",
                disabled=frame.empty,
            )


def _harmless(cell: object) -> object:
    """Return a cell that a spreadsheet shows as text: numbers stay, a text that would be a formula gets a quote."""
    if isinstance(cell, str) and cell.startswith(_FORMULA_STARTS):
        return f"'{cell}"
    return cell
