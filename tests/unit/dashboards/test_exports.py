"""What is downloaded is what was shown, and no spreadsheet runs any of it."""

from __future__ import annotations

import csv
import io
from decimal import Decimal

import pandas as pd
import pytest

from dashboards.exports import to_csv, to_parquet


def rows(content: bytes) -> list[list[str]]:
    """Read CSV as a spreadsheet does."""
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_a_text_that_would_be_a_formula_is_quoted(start: str) -> None:
    frame = pd.DataFrame({"Reason": [f"{start}cmd|' /C calc'!A0"], f"{start}Head": ["fine"]})
    head, row = rows(to_csv(frame))
    assert row == [f"'{start}cmd|' /C calc'!A0", "fine"]
    assert head[1] == f"'{start}Head"


def test_numbers_stay_numbers() -> None:
    frame = pd.DataFrame({"Open": [-3], "Paid": [Decimal("-12.50")], "Name": ["Zoë"], "Nothing": [None]})
    assert rows(to_csv(frame))[1] == ["-3", "-12.50", "Zoë", ""]


def test_excel_knows_the_encoding() -> None:
    assert to_csv(pd.DataFrame({"a": [1]})).startswith(b"\xef\xbb\xbf")


def test_parquet_keeps_the_types() -> None:
    frame = pd.DataFrame({"Paid": [Decimal("12.50")], "Count": [3], "Reason": ["=1+1"]})
    read = pd.read_parquet(io.BytesIO(to_parquet(frame)))
    assert read["Paid"].iloc[0] == Decimal("12.50")
    assert read["Reason"].iloc[0] == "=1+1"
