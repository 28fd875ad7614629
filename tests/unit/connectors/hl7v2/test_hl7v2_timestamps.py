"""HL7 times: never more precise than said, never without a zone."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from connectors.hl7v2.timestamps import clock, time_of_day, zone_named
from hub_core.errors import ConfigurationError

HERE = clock("20240310", "America/New_York")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2024", "2024"),
        ("202405", "2024-05"),
        ("20240501", "2024-05-01"),
        ("2024050113", "2024-05-01T13:00:00-04:00"),
        ("202405011330", "2024-05-01T13:30:00-04:00"),
        ("20240501133015.1200", "2024-05-01T13:30:15.1200-04:00"),
        ("20240101120000", "2024-01-01T12:00:00-05:00"),
        ("20240501133015+0530", "2024-05-01T13:30:15+05:30"),
        ("20240501133015-0000", "2024-05-01T13:30:15Z"),
        ("20240501133015Z", "2024-05-01T13:30:15Z"),
        ("20240310023000", "2024-03-10T02:30:00-05:00"),
        ("20241103013000", "2024-11-03T01:30:00-04:00"),
    ],
)
def test_precision_and_zone(text: str, said: str) -> None:
    """Dates stay dates; skipped and repeated wall-clock times have one meaning."""
    assert HERE.date_time(text) == said


@pytest.mark.parametrize(
    "text", ["", "24", "20241301", "20240230", "2024050125", "20240501+9900", "yesterday", "２０２４"]
)
def test_what_is_no_time(text: str) -> None:
    """None, not an exception."""
    assert HERE.date_time(text) is None
    assert HERE.moment(text) is None


def test_offset_of_the_header_rules_times_without_one() -> None:
    """MSH-7 says where the sender's clock stands (chapter 2A, DTM)."""
    assert clock("20240310080000+0200", "America/New_York").date_time("20240501080000") == "2024-05-01T08:00:00+02:00"


def test_moments_are_utc() -> None:
    """What the record compares."""
    assert HERE.moment("20240501") == datetime(2024, 5, 1, 4, tzinfo=UTC)


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York"])
@pytest.mark.parametrize("text", ["0001", "00010101000000", "99991231235959", "99991231235959-1400"])
def test_the_ends_of_the_calendar(text: str, zone: str) -> None:
    """A time that no other zone can express is no point in time, and still no exception."""
    read = clock("", zone)
    assert read.date(text) is not None
    assert read.date_time(text) is not None
    moment = read.moment(text)
    assert moment is None or moment.tzinfo is UTC


def test_dates_and_instants() -> None:
    """A birth date is cut to its date; an instant needs a time of day."""
    assert HERE.date("19890118000000") == "1989-01-18"
    assert HERE.instant("20240501") is None


@pytest.mark.parametrize(("text", "said"), [("1510", "15:10:00"), ("15", "15:00:00"), ("2561", None), ("", None)])
def test_times_of_day(text: str, said: str | None) -> None:
    """FHIR times have no zone."""
    assert time_of_day(text) == said


def test_unknown_zone_is_a_configuration_error() -> None:
    """A feed file with a wrong zone is the operator's to mend."""
    with pytest.raises(ConfigurationError):
        zone_named("Mars/Olympus")
