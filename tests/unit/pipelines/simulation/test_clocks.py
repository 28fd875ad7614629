"""What the clocks of a place show, asked once an hour, is what the zone says of every moment of that hour."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.simulation.clocks import TWO_DIGITS, Clock

ZONES = [ZoneInfo("America/Chicago"), ZoneInfo("America/Denver")]
moments = st.datetimes(datetime(2023, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@pytest.mark.parametrize("zone", ZONES, ids=str)
@given(moment=moments)
def test_an_hour_says_what_the_zone_says(zone: ZoneInfo, moment: datetime) -> None:
    local = moment.astimezone(zone)
    clock = Clock(zone)
    clock.hour(moment.replace(minute=59, second=59))  # another moment of the same hour was asked for before
    hour = clock.hour(moment)
    minutes = f"{TWO_DIGITS[moment.minute]}{TWO_DIGITS[moment.second]}"
    assert f"{hour.basic}{minutes}{hour.basic_offset}" == f"{local:%Y%m%d%H%M%S%z}"
    assert f"{hour.extended}{hour.extended_offset}" == local.isoformat(timespec="hours")
    assert clock.day(moment) == local.date()


def test_the_hour_that_comes_twice_is_told_apart() -> None:
    first = datetime(2024, 11, 3, 6, 30, tzinfo=UTC)
    clock = Clock(ZONES[0])
    hours = [clock.hour(first + timedelta(hours=number)) for number in range(3)]
    assert [hour.extended for hour in hours] == ["2024-11-03T01", "2024-11-03T01", "2024-11-03T02"]
    assert [hour.is_second for hour in hours] == [False, True, False]
    assert [hour.basic_offset for hour in hours] == ["-0500", "-0600", "-0600"]
