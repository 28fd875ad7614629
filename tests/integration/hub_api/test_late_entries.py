"""A step of a visit entered afterwards: when it happened and when it was recorded are both kept, and never mixed."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from hub_core.clock import now
from tests.integration.hub_api.practice import Practice, today

WHY = "the network was down"


def yesterday(hour: int, minute: int = 0) -> datetime:
    """Return a wall time of the day before."""
    return datetime.combine(today() - timedelta(days=1), time(hour, minute))


def late(happened_at: datetime, reason: str = WHY) -> dict[str, str]:
    return {"happened_at": happened_at.astimezone(UTC).isoformat(), "reason": reason}


def test_the_flow_board_of_yesterday_tells_how_long_somebody_waited(practice: Practice) -> None:
    manager, doctor = practice.works("manager"), practice.works("clinician")
    ada = practice.registered()
    visit = practice.booked(ada, yesterday(0))
    path = f"/appointments/{visit['appointment_id']}"
    came = now() - timedelta(hours=20)
    assert manager.post(f"{path}/arrive", late(came)).status_code == 200
    assert doctor.post(f"{path}/begin", late(came + timedelta(minutes=17))).status_code == 200
    board = manager.get(f"/locations/{practice.north.location_id}/day", on=yesterday(0).date().isoformat()).json()
    assert board["visits"][0]["waiting_minutes"] == 17
    *_, arrived, begun = manager.get(path).json()["steps"]
    assert (arrived["reason"], begun["status"]) == (WHY, "in_visit")
    assert datetime.fromisoformat(arrived["recorded_at"]) - datetime.fromisoformat(arrived["happened_at"]) > timedelta(
        hours=19
    )
    assert practice.audited("appointment.late_entry", ada["patient_id"]) == [
        (manager.principal_id, "northgate", "success"),
        (doctor.principal_id, "northgate", "success"),
    ]


def test_a_no_show_of_yesterday_is_entered_with_its_time_and_reason(practice: Practice) -> None:
    visit = practice.booked(practice.registered(), yesterday(0))
    path = f"/appointments/{visit['appointment_id']}/no-show"
    too_early = datetime.fromisoformat(visit["starts_at"]) - timedelta(minutes=1)
    assert practice.works("manager").post(path, late(too_early)).status_code == 409
    assert practice.works("manager").post(path, late(too_early + timedelta(minutes=31))).json()["status"] == "noshow"


def test_the_desk_enters_nothing_late_and_nobody_the_future_or_the_wrong_order(practice: Practice) -> None:
    desk, manager = practice.works("front_desk"), practice.works("manager")
    path = f"/appointments/{practice.booked(practice.registered(), yesterday(0))['appointment_id']}"
    came = now() - timedelta(hours=20)
    assert desk.post(f"{path}/arrive", late(came)).status_code == 403
    assert manager.post(f"{path}/arrive", late(came, "")).status_code in (400, 422)
    assert manager.post(f"{path}/arrive", late(now() + timedelta(hours=1))).status_code == 409
    assert manager.post(f"{path}/arrive", late(came)).status_code == 200
    assert manager.post(f"{path}/room", late(came - timedelta(minutes=1))).status_code == 409
    assert practice.rows("SELECT status FROM appointment") == [("arrived",)]
