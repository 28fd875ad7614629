"""Whatever the order in which a legacy EHR's messages come, however often, and however they are cut: the same rows."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.installation import Installation
from pipelines.receiving import Receiver
from tests.integration.ehr_pm import legacy
from tests.integration.ehr_pm.clinic import Clinic, open_clinic
from tests.integration.ehr_pm.legacy import adt, at, siu


def story(tag: str, day: int) -> list[str]:
    """Return what happens to three records of two people, told in order; every number begins with `tag`."""
    one, two, three = f"{tag}1", f"{tag}2", f"{tag}3"
    who = {"clinician": f"{tag}D"}
    return [
        adt("A04", one, "Okafor"),
        adt("A28", two, "Okafor", minute=1, street="3 Pine Street"),
        siu("S12", f"{tag}A", two, at(day, 9), minute=2, **who),
        siu("S12", f"{tag}B", one, at(day, 10), minute=3, **who),
        siu("S13", f"{tag}A", two, at(day, 10, 15), minute=4, **who),
        adt("A08", one, "Bello", minute=5, street="9 Oak Street"),
        adt("A40", two, into=one, minute=6),
        adt("A31", one, "Bello", minute=7, street="9 Oak Street"),
        siu("S15", f"{tag}B", one, at(day, 10), minute=8, status="Cancelled", **who),
        adt("A05", three, "Tran", minute=9),
        adt("A40", three, into=two, minute=10),
        siu("S12", f"{tag}C", three, at(day, 10, 15), minute=11, **who),
    ]


ROOT = """
WITH RECURSIVE up AS (
    SELECT patient_id, patient_id AS at FROM patient
    UNION ALL SELECT up.patient_id, p.merged_into FROM up JOIN patient p ON p.patient_id = up.at
    WHERE p.merged_into IS NOT NULL
), root AS (
    SELECT up.patient_id, p.mrn FROM up JOIN patient p ON p.patient_id = up.at AND p.merged_into IS NULL
)
"""
TABLES = (
    "SELECT 'patient', mrn, family, given, middle, birth_date::text, gender, (SELECT mrn FROM root r WHERE"
    " r.patient_id = p.patient_id) FROM patient p WHERE mrn LIKE %(tag)s",
    "SELECT 'number', p.mrn, n.value, n.kind FROM patient_number n JOIN patient p USING (patient_id)"
    " WHERE mrn LIKE %(tag)s",
    "SELECT 'address', p.mrn, x.line, x.use, x.valid_from::text FROM patient_address x JOIN patient p USING"
    " (patient_id) WHERE mrn LIKE %(tag)s",
    "SELECT 'contact', p.mrn, x.value, x.kind FROM patient_contact x JOIN patient p USING (patient_id)"
    " WHERE mrn LIKE %(tag)s",
    "SELECT 'visit', p.mrn, a.status, a.status_reason, a.local_start::time::text, t.kind, t.is_blocking"
    " FROM appointment a JOIN patient p USING (patient_id) JOIN resource_booking t USING (appointment_id)"
    " WHERE mrn LIKE %(tag)s",
    "SELECT 'merge', s.mrn, m.mrn FROM patient_merge x JOIN patient s ON s.patient_id = x.survivor_id"
    " JOIN patient m ON m.patient_id = x.merged_id WHERE s.mrn LIKE %(tag)s AND x.undone_at IS NULL",
    "SELECT 'time', p.mrn, count(*) FROM resource_booking t JOIN patient p ON p.patient_id = t.taken_id"
    " WHERE mrn LIKE %(tag)s AND t.is_blocking GROUP BY 2",
    "SELECT 'finding', f.check_name, a.local_start::time::text FROM finding f JOIN appointment a"
    " ON a.appointment_id = f.subject_id JOIN patient p USING (patient_id)"
    " WHERE mrn LIKE %(tag)s AND f.settled_at IS NULL",
)


def told(installation: Installation, tag: str) -> list[tuple[Any, ...]]:
    """Return everything that rows say of the people of one telling, without the tag."""
    with installation.database.begin() as unit:
        found = [
            row for query in TABLES for row in unit.driver.execute(ROOT + query, {"tag": f"meditech {tag}%"}).fetchall()
        ]
    return sorted(tuple(str(value).replace(tag, "") for value in row) for row in found)


def tell(
    installation: Installation, clinic: Clinic, day: int, order: Sequence[int], looks: frozenset[int]
) -> list[tuple[Any, ...]]:
    """Send a story in some order, the receiver looking now and then, and return the rows it leaves."""
    tag = f"{day:04}"
    legacy.add_clinician(installation, clinic, f"{tag}D")
    messages = story(tag, day)
    for place, number in enumerate(order):
        legacy.send(installation, [messages[number]])
        if place in looks:
            Receiver(installation).tick()
    Receiver(installation).tick()
    return told(installation, tag)


ORDERS = st.permutations(range(12)).flatmap(
    lambda order: st.lists(st.sampled_from(order), max_size=3).map(lambda again: [*order, *again])
)


def test_any_order_leaves_the_same_rows(installation: Installation) -> None:
    clinic = open_clinic(installation.database, patients=1)
    legacy.hand_over(installation, clinic)
    days = count()
    truth = tell(installation, clinic, next(days), range(12), frozenset(range(12)))
    assert [row for row in truth if row[0] == "finding"] == [("finding", "overbooked", "10:15:00")]
    assert len([row for row in truth if row[0] == "merge"]) == 2

    @settings(max_examples=10, deadline=None)
    @given(order=ORDERS, looks=st.frozensets(st.integers(0, 14)))
    def holds(order: list[int], looks: frozenset[int]) -> None:
        assert tell(installation, clinic, next(days), order, looks) == truth

    holds()
