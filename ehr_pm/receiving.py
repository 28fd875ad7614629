"""What other sources say of patients and visits that they keep becomes rows here: the record is read, rows are written.

Their resources are the record already. A portion of what changed is received in one act: patients first, then who was
merged into whom, then visits, also those that waited for their patient.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from ehr_pm.findings import Check
from ehr_pm.organisation import ownership
from ehr_pm.patients import merging
from ehr_pm.patients import receiving as patients
from ehr_pm.record import following
from ehr_pm.scheduling import receiving as schedule
from hub_core.database import driver_connection

if TYPE_CHECKING:
    import psycopg

    from ehr_pm.acts import Act
    from ehr_pm.record.following import Said

TYPES: Final = (*patients.TYPES, *schedule.TYPES)
_READER: Final = "receiving"
_WIDTH: Final = 2_000
"""Sealed changes of the log, of whatever type, that are looked at in one act."""
_PORTION: Final = 200
"""Resources that are caught up with in one act."""
_PENDING: Final[tuple[Check, ...]] = (
    "incomplete patient",
    "unknown patient",
    "unknown location",
    "no time",
    "not received",
    "merge in a ring",
)


def next_portion(doing: Act) -> list[Said] | None:
    """Return what is to be received next and move the reader past it; None when there is nothing left.

    What a source said before it became master comes first. The reader moves when the act commits.
    """
    connection = driver_connection(doing.session.connection())
    place = following.place_of(connection, _READER)
    waiting = _catch_up(connection)
    if waiting:
        return waiting
    sources = ownership.mastered(doing.session).sources
    said, last = following.changed(connection, place, _WIDTH, types=TYPES, sources=sources)
    if last <= place:
        return None
    following.move_on(connection, _READER, last)
    return said


def receive(doing: Act, said: Sequence[Said], *, again: bool = False) -> None:
    """Bring rows in step with what their masters say.

    Args:
        doing: the act.
        said: resources as the record holds them now.
        again: whether to look also at versions that were looked at before.
    """
    if not said:
        return
    places = ownership.mastered(doing.session)
    people = [each for each in said if each.resource_type in patients.TYPES]
    visits = {each.resource_id: each for each in said if each.resource_type in schedule.TYPES}
    connection = driver_connection(doing.session.connection())
    new = sorted(patients.patients_of(people))
    visits |= {each.resource_id: each for each in _waiting_for(connection, new)}
    touched = {*new, *schedule.patients_of(doing, list(visits.values()))}
    with merging.lifted(doing, touched):
        patients.receive(doing, people, places, again=again)
        schedule.receive(doing, list(visits.values()), places, again=again)


def pending(connection: psycopg.Connection[Any]) -> Iterator[list[Said]]:
    """Yield, in portions, what could not be received before, and what names somebody who could not be booked then."""
    keys = connection.execute(
        "SELECT subject_type, subject_id FROM finding WHERE settled_at IS NULL AND check_name = ANY(%(checks)s)"
        " UNION SELECT r.resource_type, r.resource_id FROM finding f"
        " JOIN search_reference s ON s.resource_type = 'Appointment' AND s.param = 'actor'"
        "  AND s.target_type = f.subject_type AND s.target_id = f.subject_id::text"
        " JOIN resource r USING (resource_key)"
        " WHERE f.settled_at IS NULL AND f.check_name = 'unknown clinician or room' ORDER BY 1 DESC, 2",
        {"checks": list(_PENDING)},
    ).fetchall()
    for start in range(0, len(keys), _PORTION):
        yield following.current(connection, keys[start : start + _PORTION])


def _waiting_for(connection: psycopg.Connection[Any], people: Sequence[UUID]) -> list[Said]:
    """Return the visits of patients who are not among ours yet, but may be in a moment."""
    known = connection.execute("SELECT patient_id FROM patient WHERE patient_id = ANY(%s)", (list(people),)).fetchall()
    unknown = set(people) - {key for (key,) in known}
    return following.of_patients(connection, "Appointment", sorted(unknown))


def _catch_up(connection: psycopg.Connection[Any]) -> list[Said]:
    """Return the next portion of what a new master said before; nothing when all of it is received."""
    while True:
        row = connection.execute(
            "SELECT c.location_id, c.source, l.key, c.resource_key"
            " FROM catching_up c JOIN location l USING (location_id)"
            " ORDER BY c.location_id, c.source LIMIT 1 FOR UPDATE OF c"
        ).fetchone()
        if row is None:
            return []
        location_id, source, key, after = row
        said = following.standing(connection, after, _PORTION, types=TYPES, source=source, location=key)
        if said:
            connection.execute(
                "UPDATE catching_up SET resource_key = %s WHERE location_id = %s AND source = %s",
                (said[-1].resource_key, location_id, source),
            )
            return said
        connection.execute("DELETE FROM catching_up WHERE location_id = %s AND source = %s", (location_id, source))
