"""Texts, dates and numbers are compared as R4 tells, however they are written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from hub_core.fhir import search_values
from hub_core.fhir.search_values import LATEST, interval, number


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc, arg-type]


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2020", at(2020, 1, 1), at(2021, 1, 1)),
        ("2020-12", at(2020, 12, 1), at(2021, 1, 1)),
        ("2024-02-29", at(2024, 2, 29), at(2024, 3, 1)),
        ("2020-03-04T05:06", at(2020, 3, 4, 5, 6), at(2020, 3, 4, 5, 7)),
        ("2020-03-04T05:06:07", at(2020, 3, 4, 5, 6, 7), at(2020, 3, 4, 5, 6, 8)),
        ("2020-03-04T05:06:07+02:00", at(2020, 3, 4, 3, 6, 7), at(2020, 3, 4, 3, 6, 8)),
        ("9999-12-31", at(9999, 12, 31), LATEST),
        ("9999", at(9999, 1, 1), LATEST),
    ],
)
def test_a_partial_date_stands_for_the_whole_of_it(text: str, start: datetime, end: datetime) -> None:
    found = interval(text)
    assert found is not None
    assert found[0] == start
    assert abs(found[1] - end) <= timedelta(microseconds=1)


def test_an_instant_keeps_its_milliseconds() -> None:
    start = at(2020, 3, 4, 5, 6, 7) + timedelta(milliseconds=250)
    assert interval("2020-03-04T05:06:07.250Z") == (start, start + timedelta(milliseconds=1))


@pytest.mark.parametrize(
    "text",
    ["", "20200101", "2020-W01-1", "2020-13", "2020-02-30", "0000", "2020-01-01T25:00:00Z", "yesterday", "٢٠٢٠",
     "0001-01-01T00:00:00+14:00"],
)  # fmt: skip
def test_what_is_no_fhir_date_has_no_interval(text: str) -> None:
    assert interval(text) is None


def test_folding_takes_case_accents_and_doubled_spaces() -> None:
    assert search_values.fold("  Åsa   ÖSTERGREN\tStraße ") == "asa ostergren strasse"


@pytest.mark.parametrize(
    ("text", "value", "half"),
    [
        ("100", "100", "0.5"),
        ("100.00", "100", "0.005"),
        ("1e2", "100", "50"),
        ("5.4", "5.4", "0.05"),
        ("-0.10", "-0.1", "0.005"),
        (".5", "0.5", "0.05"),
        ("1.50e-3", "0.0015", "0.000005"),
    ],
)
def test_a_number_is_as_exact_as_it_is_written(text: str, value: str, half: str) -> None:
    assert number(text) == (Decimal(value), Decimal(half))


@pytest.mark.parametrize("text", ["", "one", "1.2.3", "0x10", "NaN", "Infinity", "1e999", "9" * 41, "1e-60", "٣"])
def test_what_is_no_number_or_out_of_reach_is_not_compared(text: str) -> None:
    assert number(text) is None
