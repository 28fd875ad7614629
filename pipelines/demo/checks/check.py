"""What a check of the truth table is: the same question asked of the truth and of the warehouse."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Measure: TypeAlias = Literal["count", "cents", "text"]
"""What the values are: how many, money in cents, or words."""
Witness: TypeAlias = Literal["warehouse", "hub"]
"""Who says what came of it: the published warehouse, or what the hub answered when it was asked to do something."""


@dataclass(frozen=True, slots=True)
class Check:
    """One family of lines of the truth table.

    Each question answers with rows whose last column is the value and whose other columns say of what. The two answers
    must be the same set of rows.
    """

    name: str
    truth: str
    """Asked of the truth files, each a table of its name."""
    warehouse: str
    """Asked of the witness."""
    measure: Measure = "count"
    witness: Witness = "warehouse"
