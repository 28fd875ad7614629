"""The schedule: bookings cannot collide, moves are whole, summer time changes nothing, overrides are on record."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from ehr_pm.acts import act
from ehr_pm.record.queries import read
from ehr_pm.rows import get
from ehr_pm.scheduling import placing, reminders, series, service, setup, waitlist
from ehr_pm.scheduling.models import Appointment, WaitlistEntry
from ehr_pm.scheduling.schemas import NewException, NewSeries, NewWaitlistEntry
from ehr_pm.scheduling.walltime import NonexistentTimeError, to_instant
from hub_core.database import Database
from hub_core.errors import ConflictError
from hub_core.fhir.canonical import load_object
from tests.integration.ehr_pm.clinic import CLERK, MONDAY, NOW, Clinic, open_clinic, wall

NINE = wall(3, 9)


@pytest.fixture
def clinic(database: Database) -> Clinic:
    return open_clinic(database)


def book(database: Database, clinic: Clinic, start: datetime = NINE, **more: object) -> Appointment:
    with act(database, CLERK, moment=NOW) as doing:
        return service.book(doing, clinic.told(start, **more))  # type: ignore[arg-type]


def openings(database: Database, clinic: Clinic, *taking: UUID) -> list[datetime]:
    with database.begin() as unit:
        ids = taking or clinic.clinicians[:1]
        return service.find(unit.session, clinic.location_id, clinic.visit_type_id, ids, NINE.date(), NINE.date())


def test_a_booking_is_a_row_a_resource_an_audit_event_and_reminders(database: Database, clinic: Clinic) -> None:
    made = book(database, clinic, taking=(clinic.clinicians[0], clinic.room), start=NINE + timedelta(days=7))
    with database.begin() as unit:
        found = read(unit.driver, "Appointment", made.appointment_id)
        assert found is not None
        assert found.patient_id == made.patient_id
        resource = load_object(found.body)
        assert (resource["status"], resource["start"]) == ("booked", "2026-03-10T13:00:00.000Z")
        assert len(resource["participant"]) == 4
        seen = unit.driver.execute("SELECT action FROM audit_event WHERE patient_id = %s", (made.patient_id,))
        assert seen.fetchall() == [("appointment.book",)]
        due = unit.driver.execute("SELECT due_at FROM reminder ORDER BY due_at").fetchall()
        assert due == [(made.starts_at - lead,) for lead in reminders.LEADS]


def test_what_is_taken_is_refused_and_offered_to_nobody(database: Database, clinic: Clinic) -> None:
    book(database, clinic)
    with pytest.raises(ConflictError, match="taken"):
        book(database, clinic, NINE + timedelta(minutes=20))
    found = openings(database, clinic)
    assert NINE not in found
    assert NINE + timedelta(minutes=30) in found
    assert NINE in openings(database, clinic, clinic.clinicians[1])


def test_who_comes_a_moment_too_late_leaves_nothing_behind(database: Database, clinic: Clinic) -> None:
    taking = (clinic.clinicians[0], clinic.room)
    told, begins = clinic.told(NINE, taking=taking), to_instant(NINE, ZoneInfo("America/New_York"))
    during = (begins, begins + timedelta(minutes=30))
    wanted = told.model_dump(include={"patient_id", "location_id", "visit_type_id", "local_start"})
    with act(database, CLERK, moment=NOW) as late:
        scene = placing.look(late, told)
        lanes = placing.lanes(scene, told, during)
        first = book(database, clinic, taking=(clinic.room,))
        columns = {**wanted, "status": "booked", "starts_at": during[0], "ends_at": during[1]}
        assert placing.write(late, scene, lanes, during, **columns) is None
    with database.begin() as unit:
        for table in ("appointment", "resource_booking", "appointment_status_event", "reminder"):
            found = unit.driver.execute(f"SELECT DISTINCT appointment_id FROM {table}").fetchall()
            assert found in ([(first.appointment_id,)], []), table


def test_a_patient_cannot_be_in_two_rooms(database: Database, clinic: Clinic) -> None:
    made = book(database, clinic)
    with pytest.raises(ConflictError, match="patient"):
        book(database, clinic, taking=clinic.clinicians[1:], patient_id=made.patient_id)


def test_cancelled_and_missed_appointments_free_their_time(database: Database, clinic: Clinic) -> None:
    first = book(database, clinic)
    with act(database, CLERK, moment=NOW) as doing:
        service.cancel(doing, first.appointment_id, "moved away")
    second = book(database, clinic)
    with act(database, CLERK, moment=second.ends_at) as doing:
        service.note_no_show(doing, second.appointment_id)
    assert book(database, clinic).status == "booked"
    with database.begin() as unit:
        left = unit.driver.execute("SELECT state, count(*) FROM reminder GROUP BY 1").fetchall()
        assert ("queued", 2) not in left


def test_a_move_is_whole_or_nothing(database: Database, clinic: Clinic) -> None:
    mine, other = book(database, clinic), book(database, clinic, NINE + timedelta(hours=1))

    def move(start: datetime) -> Appointment:
        with act(database, CLERK, moment=NOW) as doing:
            told = clinic.told(start, patient_id=mine.patient_id)
            return service.reschedule(doing, mine.appointment_id, told, "patient asked")

    with pytest.raises(ConflictError, match="taken"):
        move(other.local_start)
    with database.begin() as unit:
        kept = get(unit.session, Appointment, mine.appointment_id, "appointment")
        assert kept.status == "booked"
        assert all(each.is_blocking for each in kept.bookings)
    moved = move(NINE + timedelta(minutes=10))  # overlaps its own old time
    assert moved.rescheduled_from == mine.appointment_id
    with database.begin() as unit:
        assert get(unit.session, Appointment, mine.appointment_id, "appointment").status == "rescheduled"


def test_a_series_keeps_its_wall_time_over_the_change_of_clocks(database: Database, clinic: Clinic) -> None:
    told = NewSeries(first=clinic.told(wall(4, 9)), rrule="FREQ=WEEKLY;COUNT=3")
    with act(database, CLERK, moment=NOW) as doing:
        booked = series.book_series(doing, told)
    assert [each.local_start.hour for each in booked] == [9, 9, 9]
    assert [each.starts_at.astimezone(UTC).hour for each in booked] == [14, 13, 13]


def test_a_time_the_clocks_jump_over_is_refused(database: Database, clinic: Clinic) -> None:
    with pytest.raises(NonexistentTimeError):
        book(database, clinic, wall(8, 2, 30))


def test_a_location_whose_zone_was_corrected_books_by_its_clocks_at_once(database: Database, clinic: Clinic) -> None:
    book(database, clinic)
    with database.begin() as unit:
        unit.driver.execute("UPDATE location SET zone = 'Australia/Sydney'")
    assert book(database, clinic).starts_at.astimezone(ZoneInfo("Australia/Sydney")).hour == NINE.hour
    with pytest.raises(ConflictError, match="is taken"):
        book(database, clinic)


def test_one_visit_of_a_series_can_be_cancelled_alone(database: Database, clinic: Clinic) -> None:
    told = NewSeries(first=clinic.told(NINE), rrule="FREQ=DAILY;COUNT=3")
    with act(database, CLERK, moment=NOW) as doing:
        booked = series.book_series(doing, told)
    with act(database, CLERK, moment=NOW) as doing:
        service.cancel(doing, booked[1].appointment_id, "on holiday")
    with database.begin() as unit:
        rows = unit.driver.execute("SELECT status FROM appointment ORDER BY local_start").fetchall()
        assert rows == [("booked",), ("cancelled",), ("booked",)]


@pytest.mark.parametrize("rule", ["FREQ=DAILY;INTERVAL=1", "FREQ=DAILY;COUNT=1000", "FREQ=DAILY;COUNT=x"])
def test_a_series_that_cannot_be_is_refused(database: Database, clinic: Clinic, rule: str) -> None:
    told = NewSeries(first=clinic.told(NINE), rrule=rule.replace("x", "0X"))
    with pytest.raises(ConflictError):
        series.occurrences(told)


def test_an_override_needs_a_reason_and_is_on_record(database: Database, clinic: Clinic) -> None:
    book(database, clinic)
    squeezed = book(database, clinic, override_reason="chest pain, seen between two visits")
    with database.begin() as unit:
        lanes = unit.driver.execute(
            "SELECT lane FROM resource_booking WHERE appointment_id = %s AND kind = 'practitioner'",
            (squeezed.appointment_id,),
        ).fetchall()
        assert lanes == [(2,)]
        told = unit.driver.execute(
            "SELECT detail->>'override' FROM audit_event WHERE resource_id = %s", (str(squeezed.appointment_id),)
        ).fetchall()
        assert told == [("yes",)]


def test_closed_is_closed_until_overridden(database: Database, clinic: Clinic) -> None:
    with act(database, CLERK, moment=NOW) as doing:
        begins = datetime(2026, 3, 3, 13, tzinfo=UTC)
        setup.add_exception(
            doing,
            NewException(
                bookable_id=clinic.clinicians[0],
                starts_at=begins,
                ends_at=begins + timedelta(hours=4),
                reason="in the hospital",
            ),
        )
    assert NINE not in openings(database, clinic)
    with pytest.raises(ConflictError, match="not there"):
        book(database, clinic)


def test_a_hold_keeps_a_time_for_minutes_only(database: Database, clinic: Clinic) -> None:
    with act(database, CLERK, moment=NOW) as doing:
        held = service.hold(doing, clinic.told(NINE))
    with pytest.raises(ConflictError, match="taken"):
        book(database, clinic)
    with act(database, CLERK, moment=NOW + service.HOLD) as doing:
        taken = service.book(doing, clinic.told(NINE))

    def book_too_late() -> None:
        with act(database, CLERK, moment=NOW + service.HOLD) as doing:
            service.book_held(doing, held.appointment_id)

    with pytest.raises(ConflictError, match="too long ago"):
        book_too_late()
    assert taken.status == "booked"


def test_somebody_given_up_who_comes_late_gets_their_time_only_if_it_is_free(
    database: Database, clinic: Clinic
) -> None:
    late = book(database, clinic)
    with act(database, CLERK, moment=late.ends_at) as doing:
        service.note_no_show(doing, late.appointment_id)
    book(database, clinic)

    def arrive() -> None:
        with act(database, CLERK, moment=late.ends_at) as doing:
            service.arrive(doing, late.appointment_id)

    with pytest.raises(ConflictError, match="somebody else"):
        arrive()


def test_the_flow_of_a_visit_and_no_other(database: Database, clinic: Clinic) -> None:
    made = book(database, clinic)
    with act(database, CLERK, moment=NOW) as doing:
        for step in (service.confirm, service.arrive, service.bring_to_room, service.begin, service.check_out):
            step(doing, made.appointment_id)

    def cancel() -> None:
        with act(database, CLERK, moment=NOW) as doing:
            service.cancel(doing, made.appointment_id, "too late")

    with pytest.raises(ConflictError, match="checked_out"):
        cancel()
    with database.begin() as unit:
        steps = unit.driver.execute("SELECT status FROM appointment_status_event ORDER BY number").fetchall()
        assert [each for (each,) in steps] == ["booked", "confirmed", "arrived", "roomed", "in_visit", "checked_out"]


def test_the_waitlist_fills_what_opens_with_the_most_urgent_who_can(database: Database, clinic: Clinic) -> None:
    freed = book(database, clinic)
    busy = book(database, clinic, taking=clinic.clinicians[1:])
    with act(database, CLERK, moment=NOW) as doing:

        def wait(patient: UUID, priority: int) -> WaitlistEntry:
            told = NewWaitlistEntry(
                patient_id=patient,
                location_id=clinic.location_id,
                visit_type_id=clinic.visit_type_id,
                not_before=MONDAY,
                not_after=NINE.date(),
                priority=priority,
            )
            return waitlist.join(doing, told)

        urgent, next_one = wait(busy.patient_id, 1), wait(next(clinic.patients), 3)
    with act(database, CLERK, moment=NOW) as doing:
        cancelled = service.cancel(doing, freed.appointment_id, "feels well")
        filled = waitlist.fill(doing, cancelled)
    assert filled is not None
    assert filled.patient_id == next_one.patient_id
    with database.begin() as unit:
        states = [get(unit.session, WaitlistEntry, each.entry_id, "entry").state for each in (urgent, next_one)]
        assert states == ["waiting", "filled"]


def test_due_reminders_go_out_once_and_a_failure_is_tried_again(database: Database, clinic: Clinic) -> None:
    made = book(database, clinic, NINE + timedelta(days=7))
    sent: list[UUID] = []

    def fail(_: Appointment) -> None:
        raise OSError

    with act(database, CLERK, moment=made.starts_at - timedelta(days=2)) as doing:
        assert reminders.send_due(doing, fail) == 0
    for _ in range(2):
        with act(database, CLERK, moment=made.starts_at - timedelta(days=2)) as doing:
            reminders.send_due(doing, lambda appointment: sent.append(appointment.appointment_id))
    assert sent == [made.appointment_id]
