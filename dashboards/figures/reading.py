"""How answers of the warehouse are read: the word for what is not stated, and the only row of a sum."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import pandas as pd

NOT_STATED: Final = "Not stated"


def only_row(frame: pd.DataFrame) -> dict[str, Any]:
    """Return the one row of an answer by its columns."""
    return {str(name): values.iloc[0] for name, values in frame.items()}


def capital(name: str) -> str:
    """Return a word of a code system as a label; codes in capitals and names stay as they are."""
    return name[:1].upper() + name[1:]
