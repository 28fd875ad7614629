"""One worker takes stored messages to a searchable record; and how long a message waits at a steady rate."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from benchmarks.inputs import hl7_messages, numbered
from benchmarks.measuring import Contender, Figure, Work, milliseconds, percentile, prefixed, take_turns
from benchmarks.scratch import cpu_clock, new_feed, running, scratch_installation
from benchmarks.watch import Watch
from connectors import registry
from connectors.connector import Origin
from hub_core.feeds import Feed
from hub_core.group_commit import GroupCommit
from hub_core.messages.arrival import Arrival
from pipelines.worker import Worker

if TYPE_CHECKING:
    from pipelines.installation import Installation

_MESSAGES = 612
_OFFERED = 200
"""Messages per second at which the wait is measured."""
_OFFERED_SECONDS = 10
_OURS, _ONE_EACH = "wholechart", "one transaction per message"


def measure(scale: float) -> Figure:
    """Return messages per CPU second of worker and database together, and the waits."""
    messages = hl7_messages()
    bodies = messages.items[: max(20, int(_MESSAGES * scale))]
    with scratch_installation() as installation:
        settings = installation.settings
        contenders = {
            _OURS: _apply_stored(installation, bodies, settings.worker_batch),
            _ONE_EACH: _apply_stored(installation, bodies, 1),
        }
        rates = take_turns(contenders, cpu=cpu_clock(installation))
        waits = _wait_at_steady_rate(installation, numbered(bodies), _OFFERED_SECONDS * scale)
    return Figure(
        benchmark="worker",
        unit="messages per CPU second of worker and PostgreSQL together",
        results=rates.cpu,
        input=f"{messages.name}: {len(bodies)} messages, each time from a new source",
        notes="From stored to searchable: body decrypted, converted, versions, search index, crosswalk and change log"
        " written durably. The wait is from durable to processed at the rate offered, seen by another connection.",
        details={
            **prefixed("wall, messages/s:", rates.wall),
            "offered messages/s": _OFFERED,
            "messages waited for": len(waits),
            "p50 ms from stored to searchable": milliseconds(percentile(waits, 0.5)),
            "p95 ms from stored to searchable": milliseconds(percentile(waits, 0.95)),
            "longest ms from stored to searchable": milliseconds(max(waits)),
        },
    )


def _apply_stored(installation: Installation, bodies: list[bytes], batch: int) -> Contender:
    settings = installation.settings.model_copy(update={"worker_batch": batch})

    def make_ready() -> Work:
        feed = new_feed("hl7v2")
        installation.store.take([_arrival(feed, body) for body in bodies])
        worker = Worker(installation.database, installation.store, installation.keyring, settings)
        return lambda: sum(worker.drain())

    return make_ready


def _arrival(feed: Feed, body: bytes) -> Arrival:
    envelope = registry.connector("hl7v2").envelope(body, Origin(feed.source, feed.location, feed.zone))
    return Arrival(
        feed=feed.name,
        source=feed.source,
        zone=feed.zone,
        format="hl7v2",
        kind=envelope.kind,
        control_id=envelope.control_id,
        keys=envelope.keys,
        sent_at=envelope.sent_at,
        body=body,
    )


def _wait_at_steady_rate(installation: Installation, bodies: Iterator[bytes], seconds: float) -> list[float]:
    """Return how long each message waited for the background process of the house."""
    feed = new_feed("hl7v2")
    first, *others = [_arrival(feed, body) for body in islice(bodies, max(20, int(_OFFERED * seconds)))]
    environment = {"WHOLECHART_DATA_DIR": str(installation.settings.data_dir)}
    with running("pipelines.background", environment=environment):
        _offer(installation, [first])  # once this one is searchable, the process is up
        return _offer(installation, others)


def _offer(installation: Installation, arrivals: list[Arrival]) -> list[float]:
    """Store messages one by one at the rate, as the listener does, and return how long each waited."""
    watch = Watch(installation.database)
    with GroupCommit(installation.store.take, name="messages") as commits, watch:
        started = time.perf_counter()
        for number, arrival in enumerate(arrivals):
            time.sleep(max(0.0, started + number / _OFFERED - time.perf_counter()))
            watch.expect(commits.submit(arrival))
    return watch.waits
