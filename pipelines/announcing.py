"""The announcer: tells a partner what happened here, at least once, each event under its own key, in order by subject.

An event is in the outbox if and only if what it tells of is committed (ADR 0006). It leaves as JSON by HTTPS: what was
done, to what, whose, where and when, and the resource as it stands when it is sent; of what is sensitive, its id only.
What the partner does not take is sent again, later and later, and put aside for a person in the end.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from urllib.parse import urlsplit
from uuid import UUID

import httpx
from psycopg.rows import class_row

from ehr_pm import findings
from ehr_pm.findings import Finding
from ehr_pm.record.bodies import unpack
from hub_core import audit
from hub_core.audit import AuditEvent
from hub_core.clock import instant, now
from hub_core.errors import ConfigurationError
from hub_core.feeds import OWN_SOURCE
from hub_core.fhir.canonical import Json, dumps, load_object

if TYPE_CHECKING:
    import psycopg

    from hub_core.database import Database
    from hub_core.settings import Settings
    from pipelines.installation import Installation

MOST_ATTEMPTS: Final = 12
"""Spread over some nine hours; then a person must look."""
_FIRST_WAIT: Final = timedelta(seconds=10)
_LONGEST_WAIT: Final = timedelta(hours=2)
_PATIENCE_SECONDS: Final = 10.0
_LEASE: Final = timedelta(minutes=2)
"""How long an event is left to the announcer that took it; one that died meanwhile leaves it to the next."""
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})

# Of a subject, only the first event that waits: what happened later is told later.
_DUE = """
SELECT o.event_id, o.recorded_at, o.kind, o.subject_type, o.subject_id, o.patient_id, o.location, o.attempts,
    r.sensitivity, v.body AS packed
FROM outbox_event o
LEFT JOIN resource r ON r.resource_type = o.subject_type AND r.resource_id = o.subject_id AND NOT r.deleted
LEFT JOIN resource_version v ON v.batch_key = r.batch_key AND v.ordinal = r.ordinal
WHERE o.delivered_at IS NULL AND o.put_aside_at IS NULL AND o.due_at <= %s AND NOT EXISTS (
    SELECT FROM outbox_event e WHERE e.subject_id = o.subject_id AND e.delivered_at IS NULL AND e.put_aside_at IS NULL
    AND (e.recorded_at, e.event_id) < (o.recorded_at, o.event_id))
ORDER BY o.recorded_at, o.event_id LIMIT 1 FOR UPDATE OF o SKIP LOCKED
"""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, with the resource it is about as that stands now."""

    event_id: UUID
    recorded_at: datetime
    kind: str
    subject_type: str
    subject_id: UUID
    patient_id: UUID | None
    location: str | None
    attempts: int
    sensitivity: str | None
    packed: bytes | None
    """The resource as the record keeps it."""

    @property
    def told(self) -> Json:
        """Return what the partner is told."""
        return {
            "event_id": str(self.event_id),
            "kind": self.kind,
            "recorded_at": instant(self.recorded_at),
            "subject": f"{self.subject_type}/{self.subject_id}",
            "patient": None if self.patient_id is None else f"Patient/{self.patient_id}",
            "location": self.location,
            "resource": self._shown,
        }

    @property
    def _shown(self) -> Json | None:
        """Return the resource, unless it is gone or sensitive."""
        if self.packed is None or self.sensitivity is not None:
            return None
        return load_object(unpack(self.packed, self.subject_type, self.subject_id))


Send: TypeAlias = Callable[[Event], str | None]
"""The port: hands an event to the partner, and returns why it was not taken, if it was not."""


class Announcer:
    """Announces for one installation; `tick` is called every few seconds."""

    def __init__(self, installation: Installation) -> None:
        """Begin; without a partner there is nothing to do, and what happens waits in the outbox."""
        self._database = installation.database
        self._send = None if installation.settings.announce_url is None else partner(installation.settings)

    def tick(self) -> None:
        """Send what is due, until a partner takes nothing more."""
        while self._send is not None and announce(self._database, self._send, now()):
            pass


def partner(settings: Settings) -> Send:
    """Return the port that posts events to the configured address.

    Raises:
        ConfigurationError: if the address is not one of HTTPS, or of this machine.
    """
    address = settings.announce_url or ""
    parts = urlsplit(address)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise ConfigurationError("WHOLECHART_ANNOUNCE_URL must begin with https://: events hold patients' data")
    headers = {"Content-Type": "application/json"}
    if settings.announce_token is not None:
        headers["Authorization"] = f"Bearer {settings.announce_token.get_secret_value()}"
    client = httpx.Client(headers=headers, timeout=_PATIENCE_SECONDS, trust_env=False)

    def send(event: Event) -> str | None:
        try:
            key = {"Idempotency-Key": str(event.event_id)}
            answer = client.post(address, content=dumps(event.told), headers=key)
        except httpx.HTTPError as error:
            return f"no answer ({type(error).__name__})"
        return None if answer.is_success else f"answered {answer.status_code}"

    return send


def announce(database: Database, send: Send, moment: datetime) -> bool:
    """Send the next event that is due, and return whether the partner took one.

    No transaction is open while the partner listens: a slow one would hold up whoever waits for the oldest to end.
    """
    with database.begin() as unit:
        event = _take(unit.driver, moment)
    if event is None:
        return False
    problem = send(event)
    with database.begin() as unit:
        if problem is None:
            _note_sent(unit.driver, event, moment)
        else:
            _put_off(unit.driver, event, problem, moment)
    return problem is None


def put_aside(connection: psycopg.Connection[Any], *, limit: int = 100) -> list[tuple[Any, ...]]:
    """Return the events that were put aside, the oldest first: id, kind, when, how often tried, and why not taken."""
    return connection.execute(
        "SELECT event_id, kind, recorded_at, attempts, problem FROM outbox_event WHERE put_aside_at IS NOT NULL"
        " ORDER BY recorded_at LIMIT %s",
        (limit,),
    ).fetchall()


def try_again(connection: psycopg.Connection[Any], moment: datetime) -> int:
    """Let everything that was put aside be sent again, and return how many events that are."""
    rows = connection.execute(
        "UPDATE outbox_event SET put_aside_at = NULL, attempts = 0, due_at = %s WHERE put_aside_at IS NOT NULL"
        " RETURNING subject_type, subject_id",
        (moment,),
    ).fetchall()
    findings.settle(connection, moment, ["not announced"], rows)
    return len(rows)


def _take(connection: psycopg.Connection[Any], moment: datetime) -> Event | None:
    with connection.cursor(row_factory=class_row(Event)) as cursor:
        event = cursor.execute(_DUE, (moment,)).fetchone()
    if event is not None:
        leased = "UPDATE outbox_event SET due_at = %s WHERE event_id = %s"
        connection.execute(leased, (moment + _LEASE, event.event_id))
    return event


def _note_sent(connection: psycopg.Connection[Any], event: Event, moment: datetime) -> None:
    """Note that the partner has an event, and put on record that it left the house."""
    connection.execute(
        "UPDATE outbox_event SET delivered_at = %s, attempts = attempts + 1, problem = NULL WHERE event_id = %s",
        (moment, event.event_id),
    )
    audit.record(
        connection,
        AuditEvent(
            principal_id=None,
            action="announcement.send",
            resource_type=event.subject_type,
            resource_id=str(event.subject_id),
            patient_id=event.patient_id,
            purpose="HOPERAT",
            location=event.location,
            detail={"event_id": str(event.event_id), "kind": event.kind},
        ),
    )


def _put_off(connection: psycopg.Connection[Any], event: Event, problem: str, moment: datetime) -> None:
    attempts = event.attempts + 1
    is_over = attempts >= MOST_ATTEMPTS
    connection.execute(
        "UPDATE outbox_event SET attempts = %s, due_at = %s, problem = %s, put_aside_at = %s WHERE event_id = %s",
        (attempts, moment + _wait(attempts), problem, moment if is_over else None, event.event_id),
    )
    if is_over:
        what = Finding("not announced", event.subject_type, event.subject_id, OWN_SOURCE, event.location, moment)
        findings.note(connection, [what])


def _wait(attempts: int) -> timedelta:
    return min(_FIRST_WAIT * (1 << (attempts - 1)), _LONGEST_WAIT)
