"""Numbers, times and ages read as people write them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from dashboards import phrases

NOON = datetime(2026, 1, 8, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("amount", "written"),
    [
        (Decimal("0"), "$0.00"),
        (Decimal("1234.5"), "$1,234.50"),
        (Decimal("-1234.56"), "-$1,234.56"),
        (Decimal("999999.99"), "$999,999.99"),
        (Decimal("1234567.89"), "$1,234,568"),
        (None, "–"),
    ],
)
def test_dollars(amount: Decimal | None, written: str) -> None:
    assert phrases.dollars(amount) == written


@pytest.mark.parametrize(
    ("length", "written"),
    [(0, "0 seconds"), (1, "1 second"), (59, "59 seconds"), (60, "1 minute"), (7200, "2 hours"), (86_400, "1 day")],
)
def test_spans(length: int, written: str) -> None:
    assert phrases.span(timedelta(seconds=length)) == written


def test_how_long_ago() -> None:
    assert phrases.ago(NOON - timedelta(minutes=3), NOON) == "3 minutes ago"
    assert phrases.ago(NOON + timedelta(minutes=3), NOON) == "just now"
    assert phrases.ago(None, NOON) == "never"


def test_a_moment_is_on_the_readers_clock() -> None:
    assert phrases.clock_time(NOON, "America/Chicago") == "08 Jan 2026, 06:00 CST"
    assert phrases.clock_time(NOON, "../etc/passwd") == "08 Jan 2026, 12:00 UTC"
    assert phrases.clock_time(NOON, None) == "08 Jan 2026, 12:00 UTC"


@pytest.mark.parametrize(
    ("born", "age"),
    [
        ("1958-01-08", "68 years"),
        ("1958-01-09", "67 years"),
        ("2024-01-09", "23 months"),
        ("2025-12-20", "2 weeks"),
        ("2026-01-07", "1 day"),
        ("2026-01-08", "0 days"),
        ("1958", "about 68 years"),
        ("1958-04", "about 68 years"),
        (None, "age unknown"),
    ],
)
def test_ages(born: str | None, age: str) -> None:
    assert phrases.age(born, date(2026, 1, 8)) == age


def test_a_share_of_nothing_is_no_number() -> None:
    assert phrases.share(0, 0) == "–"
    assert phrases.share(1, 8) == "12.5%"
