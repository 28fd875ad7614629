"""How fast the audit trail is verified, beside reading the same events and beside their digests alone."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from benchmarks.measuring import Contender, Figure, prefixed, take_turns
from benchmarks.scratch import cpu_clock, scratch_installation
from hub_core.auditing.chain import BEGINNING, FORM, PAYLOAD, keyed, link
from pipelines import auditor

if TYPE_CHECKING:
    from pipelines.installation import Installation

_EVENTS = 400_000
_TOGETHER = 100
"""Events written in one transaction."""
_OURS, _READ, _LINK = "wholechart", "the events read, one connection", "the digests alone"
_WRITE = """
INSERT INTO audit_event (event_id, principal_id, action, resource_type, resource_id, patient_id, outcome, purpose,
    location, detail)
SELECT uuidv7(), gen_random_uuid(), 'chart.read', 'Patient', n::text, gen_random_uuid(), 'success', 'TREAT',
    'bench', '{"from": "bench"}'
FROM generate_series(1, %s) n
"""
_EVENT = b"x" * 220
"""As long as an event of these is."""


def measure(scale: float) -> Figure:
    """Return events verified a second, by the wall's clock.

    Raises:
        AssertionError: if the trail is not found intact and whole: the figure would be of something else.
    """
    events = max(10, int(_EVENTS * scale) // _TOGETHER) * _TOGETHER
    with scratch_installation() as installation:
        with installation.database.connect(autocommit=True) as connection:
            for _ in range(0, events, _TOGETHER):
                connection.execute(_WRITE, (_TOGETHER,))
        auditor.seal(installation)
        auditor.sign(installation)
        with installation.database.connect(autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")
        works = {_OURS: partial(_verify, installation, events), _READ: partial(_read, installation)}
        contenders = {name: _contender(work) for name, work in {**works, _LINK: partial(_link, events)}.items()}
        rates = take_turns(contenders, rounds=5, cpu=cpu_clock(installation))
    return Figure(
        benchmark="audit_verification",
        unit="events a second",
        results=rates.wall,
        input=f"{events:,} events in one chain, {_TOGETHER} a transaction, vacuumed",
        notes="Verified is what `wholechart audit verify` does: every event and its link are read as of one moment"
        " by as many processes as there are cores, and every digest is made again. Medians of five rounds.",
        details=prefixed("events a CPU second of all processes:", rates.cpu),
    )


def _contender(work: partial[int]) -> Contender:
    return lambda: work


def _verify(installation: Installation, events: int) -> int:
    found = auditor.check(installation)
    assert found.is_intact, found.findings[:3]
    assert found.events == events, found.events
    return found.events


def _read(installation: Installation) -> int:
    count = 0
    with installation.database.begin() as unit, unit.driver.cursor(name="events", binary=True) as cursor:
        cursor.itersize = 10_000
        text = f"SELECT {PAYLOAD.format(form=FORM)} FROM audit_event e"  # noqa: S608 - words of the chain's file
        for _ in cursor.execute(text):
            count += 1
    return count


def _link(events: int) -> int:
    beginning, digest = keyed(b"k" * 32), BEGINNING
    for _ in range(events):
        digest = link(beginning, digest, _EVENT)
    return events
