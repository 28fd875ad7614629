"""What goes wrong on purpose: each fault hits one message, can be told from the others, and loses nothing."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest

from pipelines.simulation.faults import Arrival, Delivery, control_id, deliver, misdated
from pipelines.simulation.feeds import FEEDS
from pipelines.simulation.hl7v2.messages import Systems
from pipelines.simulation.money import Books
from pipelines.simulation.sending import Sent
from pipelines.simulation.world import Chapter
from tests.unit.pipelines.simulation.riverbend import NOON, chapter, registration, visit

FEED = FEEDS["hospital-adt"]
KINDS = ("repeated", "out_of_order", "late", "rejected")


def chance(seed: int) -> Random:
    return Random(seed)  # noqa: S311


def busy(visits: int) -> Chapter:
    world = chapter("hospital")
    for number in range(visits):
        at = NOON + timedelta(hours=7 * number)
        world.visits.append(replace(visit("hospital", f"v{number}", at=at), visit_class="EMER"))
    return world


def delivered(world: Chapter, seed: int, wrong: tuple[str, ...] = ()) -> tuple[list[Sent], Delivery]:
    random = chance(seed)
    sent = list(Systems(world, Books()).messages(FEED, random, wrong))
    return sent, deliver(FEED, sent, random, wrong)


@pytest.mark.parametrize("seed", range(5))
def test_every_kind_occurs_and_no_message_has_two(seed: int) -> None:
    _, delivery = delivered(busy(400), seed)
    kinds = Counter(fault.kind for fault in delivery.faults)
    assert set(kinds) == set(KINDS)
    assert kinds["repeated"] >= kinds["out_of_order"] >= kinds["late"] >= 1
    assert len({fault.control_id for fault in delivery.faults}) == len(delivery.faults)


@pytest.mark.parametrize("seed", range(5))
def test_everything_sent_arrives_whole_in_the_end(seed: int) -> None:
    sent, delivery = delivered(busy(120), seed)
    whole = {each.sent.body for each in delivery.arrivals if not each.refused}
    broken = {fault.control_id for fault in delivery.faults if fault.kind == "rejected"}
    for each in sent:
        if control_id(each.body) in broken:
            again = [body for body in whole if control_id(body) == control_id(each.body) + "R"]
            assert [body.split(b"\r", 1)[1] for body in again] == [each.body.split(b"\r", 1)[1]]
        else:
            assert each.body in whole


@pytest.mark.parametrize("seed", range(5))
def test_order_of_arrival_shows_what_was_overtaken(seed: int) -> None:
    _, delivery = delivered(busy(200), seed)
    latest, found = delivery.arrivals[0].sent.sent_at, []
    for each in delivery.arrivals:
        if not each.is_repeat and each.sent.sent_at < latest:
            is_late = latest - each.sent.sent_at > timedelta(days=1)
            found.append(("late" if is_late else "out_of_order", control_id(each.sent.body)))
        latest = max(latest, each.sent.sent_at)
    assert sorted(found) == sorted(
        (fault.kind, fault.control_id) for fault in delivery.faults if fault.kind in ("late", "out_of_order")
    )


def test_a_repeated_message_is_the_same_bytes_a_little_later() -> None:
    _, delivery = delivered(busy(100), 1)
    repeats = [each for each in delivery.arrivals if each.is_repeat]
    assert repeats
    for each in repeats:
        first = next(other for other in delivery.arrivals if other.sent.body == each.sent.body)
        assert timedelta(0) < each.at - first.at < timedelta(minutes=15)


def test_what_is_broken_is_put_right_before_anything_else_is_said_of_it() -> None:
    for seed in range(8):
        _, delivery = delivered(busy(60), seed)
        for number, each in enumerate(delivery.arrivals):
            if each.refused:
                about_it = next(a for a in delivery.arrivals[number + 1 :] if a.sent.subject == each.sent.subject)
                assert control_id(about_it.sent.body) == control_id(each.sent.body) + "R"


def test_what_is_broken_lacks_its_patient_or_its_type() -> None:
    bodies = [each.sent.body for seed in range(12) for each in delivered(busy(60), seed)[1].arrivals if each.refused]
    ways = Counter(
        "cut off" if b"PID|" not in body else "no type" if b"||||A" in body or not body.split(b"|")[8] else "no number"
        for body in bodies
    )
    assert set(ways) == {"cut off", "no type", "no number"}
    assert all(body.startswith(b"MSH|") for body in bodies)
    assert all(b"\rPID|1||||" in body for body in bodies if body.split(b"|")[8] and b"PID|" in body)


def test_too_few_messages_are_left_alone() -> None:
    sent, delivery = delivered(busy(5), 1)
    assert delivery.faults == []
    assert delivery.arrivals == [Arrival(each.sent_at, each) for each in sent]


def test_a_visit_dated_by_a_wrong_clock_has_one_message_and_begins_after_it() -> None:
    world = busy(60)
    sent, delivery = delivered(world, 1, ("v7",))
    about_it = [each for each in sent if each.subject == "v7"]
    assert [each.label for each in about_it] == ["ADT^A03"]
    started = NOON + timedelta(hours=7 * 7)
    assert started - timedelta(hours=1) < about_it[0].sent_at < started + timedelta(hours=1)
    shifted = (started + timedelta(hours=5)).astimezone(FEED.practice.zone)
    assert f"|{shifted:%Y%m%d%H%M%S%z}|".encode() in about_it[0].body
    noted = [fault for fault in delivery.faults if fault.subject == "v7"]
    assert [fault.kind for fault in noted] == ["event_after_message"]


def test_only_short_daytime_visits_of_settled_patients_are_dated_wrongly() -> None:
    world = chapter("hospital", registration("hospital", since=NOON - timedelta(days=9)))
    fit = replace(visit("hospital", "fit"), visit_class="EMER")
    world.visits += [
        fit,
        replace(fit, visit_id="still-there", ended_at=None),
        replace(fit, visit_id="taken-back", is_cancelled=True),
        replace(fit, visit_id="a-stay", visit_class="IMP"),
        replace(fit, visit_id="at-night", started_at=NOON + timedelta(hours=9), ended_at=NOON + timedelta(hours=10)),
        replace(fit, visit_id="long", ended_at=NOON + timedelta(hours=4)),
        replace(
            fit, visit_id="just-registered", started_at=NOON - timedelta(days=9), ended_at=NOON - timedelta(days=9)
        ),
    ]
    assert misdated(world.visits, world.registrations, chance(1)) == ["fit"]
