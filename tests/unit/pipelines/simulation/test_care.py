"""The care of the simulated world: when it happens, how much of it there is, that its facts hang together."""

from collections import Counter
from datetime import timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.simulation.care.calendar import HOLIDAYS
from pipelines.simulation.care.immunizations import CHILD_SCHEDULE
from pipelines.simulation.chapters import live
from pipelines.simulation.group import BEGINS, CLINICIANS, END_INSTANT, PRACTICES, VISIT_TYPES
from pipelines.simulation.world import Chapter
from tests.unit.pipelines.simulation.lives import a_thousand

_SEEDS = st.integers(min_value=0, max_value=2**40)
_FEW = settings(max_examples=6, deadline=None)


@pytest.fixture(scope="module")
def chapter() -> Chapter:
    return a_thousand(1)


def test_a_thousand_people_fill_the_feeds(chapter: Chapter) -> None:
    visits = Counter(visit.site for visit in chapter.visits)
    assert visits["family-practice"] + visits["cardiology"] + visits["hospital"] >= 8_500
    assert visits["pediatrics"] >= 2_000
    assert 3_000 <= len(chapter.reports) <= 4_500
    assert 12_500 <= sum(len(report.results) for report in chapter.reports) <= 18_500
    assert 5_800 <= len(chapter.bookings) <= 7_600
    assert 1_200 <= len(chapter.vaccinations) <= 1_900
    assert 750 <= len(chapter.problems) <= 1_700
    assert 750 <= len(chapter.prescriptions) <= 1_700
    assert len(chapter.allergies) > 50


def test_every_kind_of_visit_and_end_of_an_appointment_occurs(chapter: Chapter) -> None:
    assert {visit.visit_class for visit in chapter.visits} == {"AMB", "EMER", "IMP", "VR"}
    statuses = Counter(booking.status for booking in chapter.bookings)
    assert set(statuses) == {"booked", "cancelled", "noshow", "fulfilled"}
    assert 0.04 < statuses["noshow"] / len(chapter.bookings) < 0.1
    assert any(change.status == "rescheduled" for booking in chapter.bookings for change in booking.changes)
    assert any(visit.is_cancelled for visit in chapter.visits if visit.site == "family-practice")
    assert any(visit.is_cancelled for visit in chapter.visits if visit.site == "hospital")
    assert any(visit.ended_at is None for visit in chapter.visits)
    assert any(len(visit.wards) > 1 for visit in chapter.visits)
    assert any(report.corrected_at for report in chapter.reports)
    assert any(each.is_refused for each in chapter.vaccinations)


@_FEW
@given(_SEEDS)
def test_visits_are_within_the_simulated_time(seed: int) -> None:
    for visit in live(seed, 0, 80).visits:
        assert BEGINS.toordinal() <= visit.started_at.toordinal()
        assert visit.started_at <= END_INSTANT
        if visit.ended_at is not None:
            assert visit.started_at <= visit.ended_at <= END_INSTANT
        assert len(set(visit.diagnoses)) == len(visit.diagnoses)
        assert visit.reason in visit.diagnoses
        assert CLINICIANS[visit.clinician].site == visit.site


@_FEW
@given(_SEEDS)
def test_everything_hangs_on_a_registration_that_was_there_before(seed: int) -> None:
    chapter = live(seed, 0, 80)
    facts = [(visit.registration_id, visit.site, visit.started_at) for visit in chapter.visits]
    facts += [(each.registration_id, each.site, each.changes[0].at) for each in chapter.bookings]
    facts += [(each.registration_id, each.site, each.ordered_at) for each in chapter.reports]
    facts += [(each.registration_id, each.site, each.given_at) for each in chapter.vaccinations]
    facts += [(each.registration_id, each.site, each.recorded_at) for each in chapter.problems]
    facts += [(each.registration_id, each.site, each.recorded_at) for each in chapter.allergies]
    for registration_id, site, at in facts:
        registration = chapter.registrations[registration_id]
        assert registration.site == site
        assert registration.stated[0][0] <= at


@_FEW
@given(_SEEDS)
def test_what_is_found_given_and_prescribed_belongs_to_a_visit_of_the_same_record(seed: int) -> None:
    chapter = live(seed, 0, 80)
    visits = {visit.visit_id: visit for visit in chapter.visits}
    facts = [(each.visit_id, each.registration_id) for each in chapter.reports]
    facts += [(each.visit_id, each.registration_id) for each in chapter.vaccinations]
    facts += [(each.visit_id, each.registration_id) for each in chapter.problems]
    facts += [(each.visit_id, each.registration_id) for each in chapter.prescriptions]
    for visit_id, registration_id in facts:
        assert visit_id is not None
        assert not visits[visit_id].is_cancelled
        assert visits[visit_id].registration_id == registration_id
    assert {each.site for each in chapter.reports} <= {"family-practice", "hospital", "cardiology"}
    assert {each.site for each in chapter.vaccinations} <= {"family-practice"}
    assert {each.site for each in chapter.problems} <= {"cardiology"}
    assert {each.site for each in chapter.prescriptions} <= {"cardiology"}
    assert {each.site for each in chapter.allergies} <= {"cardiology"}


@_FEW
@given(_SEEDS)
def test_an_appointment_that_was_kept_has_its_visit_and_no_other_has(seed: int) -> None:
    chapter = live(seed, 0, 120)
    kept = {visit.booking_id: visit for visit in chapter.visits if visit.booking_id}
    for booking in chapter.bookings:
        assert (booking.status == "fulfilled") == (booking.booking_id in kept)
        moments = [change.at for change in booking.changes]
        assert moments == sorted(moments)
        assert booking.changes[0].status == "booked"
        assert moments[-1] <= END_INSTANT
        assert booking.changes[-1].starts_at <= END_INSTANT + timedelta(weeks=8, days=1)
        assert booking.minutes == VISIT_TYPES[booking.visit_type].minutes
        if booking.booking_id in kept:
            visit = kept[booking.booking_id]
            assert (visit.registration_id, visit.clinician) == (booking.registration_id, booking.clinician)
            assert abs(visit.started_at - booking.changes[-1].starts_at) <= timedelta(minutes=30)


def test_practices_are_open_on_working_days_in_their_own_zone(chapter: Chapter) -> None:
    for booking in chapter.bookings:
        local = booking.changes[-1].starts_at.astimezone(PRACTICES[booking.site].zone)
        assert local.isoweekday() != 7
        assert local.date() not in HOLIDAYS
        assert 8 <= local.hour < 17
    assert any(
        booking.changes[-1].starts_at.astimezone(ZoneInfo("America/Denver")).isoweekday() == 5
        for booking in chapter.bookings
        if booking.site == "cardiology"
    )


def test_nobody_is_promised_to_two_patients_at_once(chapter: Chapter) -> None:
    begins = Counter(
        (booking.clinician, booking.changes[-1].starts_at)
        for booking in chapter.bookings
        if booking.status != "cancelled"
    )
    assert max(begins.values()) == 1


def test_more_people_cough_in_winter_than_in_summer(chapter: Chapter) -> None:
    months = Counter(visit.started_at.month for visit in chapter.visits if visit.reason.code in ("J06.9", "J10.1"))
    assert months[12] + months[1] + months[2] > 1.5 * (months[6] + months[7] + months[8])


def test_flags_follow_from_the_ranges_and_stay_when_a_value_is_corrected(chapter: Chapter) -> None:
    corrected = 0
    for report in chapter.reports:
        assert report.ordered_at <= report.collected_at <= report.reported_at <= END_INSTANT
        assert (report.corrected_at is not None) == any(each.corrected_value is not None for each in report.results)
        assert len({each.code.code for each in report.results}) == len(report.results)
        for result in report.results:
            if isinstance(result.value, str):
                assert result.flag in ("", "A")
                continue
            for value in (result.value, result.corrected_value):
                if isinstance(value, Decimal):
                    is_low = result.low is not None and value < result.low
                    is_high = result.high is not None and value > result.high
                    assert result.flag == ("L" if is_low else "H" if is_high else "")
            corrected += result.corrected_value is not None
    assert corrected > 10


def test_children_get_their_vaccines_at_the_age_of_the_schedule(chapter: Chapter) -> None:
    persons = {person.person_id: person for person in chapter.persons}
    due = {(cvx, dose): months for months, cvx, dose in CHILD_SCHEDULE}
    seen = 0
    for each in chapter.vaccinations:
        born = persons[chapter.registrations[each.registration_id].person_id].truth.birth_date
        months = (each.given_at.date() - born).days / 30.4375
        if months < 18 * 12 and (each.vaccine.code, each.dose_number) in due:
            scheduled = due[each.vaccine.code, each.dose_number]
            assert scheduled - 0.1 <= months < scheduled + 13.2
            seen += 1
        assert each.is_refused == (not each.lot_number)
    assert seen > 50


def test_a_long_disease_moves_what_the_laboratory_finds(chapter: Chapter) -> None:
    people = {key: each.person_id for key, each in chapter.registrations.items()}
    diabetics = {
        people[visit.registration_id] for visit in chapter.visits for code in visit.diagnoses if code.code == "E11.9"
    }
    values: dict[bool, list[Decimal]] = {True: [], False: []}
    for report in chapter.reports:
        for result in report.results:
            if result.code.code == "4548-4" and isinstance(result.value, Decimal):
                values[people[report.registration_id] in diabetics].append(result.value)
    assert sum(values[True]) / len(values[True]) > sum(values[False]) / len(values[False]) + 1
