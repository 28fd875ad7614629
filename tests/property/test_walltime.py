"""Wall times: the clock on the wall shows the same all year, and a time it jumps over does not exist (B5, B6)."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ehr_pm.scheduling.schemas import NewAppointment, NewSeries
from ehr_pm.scheduling.series import occurrences
from ehr_pm.scheduling.walltime import NonexistentTimeError, day_span, to_instant, to_local

ZONES = (
    "America/New_York",
    "America/Chicago",
    "America/Phoenix",
    "Europe/Berlin",
    "Australia/Lord_Howe",
    "Asia/Kolkata",
)

zones = st.sampled_from(ZONES).map(ZoneInfo)
minutes = st.datetimes(datetime(2020, 1, 1), datetime(2035, 12, 31)).map(  # noqa: DTZ001 - wall time
    lambda moment: moment.replace(second=0, microsecond=0)
)


@given(local=minutes, zone=zones)
def test_a_wall_time_is_an_instant_at_which_it_is_shown_or_does_not_exist(local: datetime, zone: ZoneInfo) -> None:
    hour = timedelta(hours=1)
    around = (datetime.combine(local.date(), time(), UTC) + (number - 24) * hour / 2 for number in range(144))
    offsets = {moment.astimezone(zone).utcoffset() or timedelta() for moment in around}
    shown = {(local - offset).replace(tzinfo=UTC) for offset in offsets}
    instants = {moment for moment in shown if to_local(moment, zone) == local}
    if instants:
        assert to_instant(local, zone) == min(instants)
    else:
        with pytest.raises(NonexistentTimeError):
            to_instant(local, zone)


@given(local=minutes, zone=zones, weeks=st.integers(1, 4), count=st.integers(1, 30))
def test_a_series_keeps_its_wall_time_and_its_days(local: datetime, zone: ZoneInfo, weeks: int, count: int) -> None:
    first = NewAppointment(
        patient_id=UUID(int=1),
        location_id=UUID(int=2),
        visit_type_id=UUID(int=3),
        bookable_ids=(UUID(int=4),),
        local_start=local,
    )
    told = NewSeries(first=first, rrule=f"FREQ=WEEKLY;INTERVAL={weeks};COUNT={count}")
    found = occurrences(told)
    assert found == [local + timedelta(weeks=weeks * number) for number in range(count)]
    for each in found:
        try:
            assert to_local(to_instant(each, zone), zone) == each
        except NonexistentTimeError:
            continue
    skipped = told.model_copy(update={"skipping": (found[-1].date(),)})
    if count > 1:
        assert occurrences(skipped) == found[:-1]


@given(day=st.dates(date(2020, 1, 1), date(2035, 12, 30)), zone=zones)
def test_days_follow_each_other_without_a_gap(day: date, zone: ZoneInfo) -> None:
    begins, ends = day_span(day, zone)
    assert ends == day_span(day + timedelta(days=1), zone)[0]
    assert timedelta(hours=23) <= ends - begins <= timedelta(hours=25)
