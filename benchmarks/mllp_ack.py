"""Durable acknowledgements over MLLP through the real listener, beside a bare group-commit loop."""

from __future__ import annotations

from contextlib import ExitStack

from benchmarks.inputs import hl7_messages, numbered
from benchmarks.measuring import Figure
from benchmarks.scratch import Server, free_port, scratch_installation, serving
from benchmarks.wire import Loads, mllp_exchange, offer
from pipelines.installation import Installation

_CONNECTIONS = (1, 16, 64)
_SECONDS = 2.0
_ROUNDS = 3
_OURS, _BARE = "wholechart", "bare group commit"


def measure(scale: float) -> Figure:
    """Return acknowledgements per second over connections each of which waits for its answer."""
    messages = hl7_messages()
    exchange = mllp_exchange(numbered(messages.items))
    loads = Loads()
    with scratch_installation() as installation, ExitStack() as running:
        servers = {_OURS: _hub(running, installation), _BARE: _bare(running, installation)}
        for _ in range(_ROUNDS):
            for connections in _CONNECTIONS:
                for name, server in servers.items():
                    load = offer(server, exchange, connections=connections, seconds=_SECONDS * scale)
                    loads.add(name, connections, load)
    return Figure(
        benchmark="mllp_ack",
        unit="durable acknowledgements per second, 64 connections",
        results={name: loads.rate(name, 64) for name in servers},
        input=f"{messages.name}, each message with a control id of its own",
        notes="Loopback, stop and wait on every connection, the client on the same cores. The bare loop keeps the bytes"
        " in one table through the same group commit; wholechart reads the envelope, encrypts, deduplicates, queues for"
        " the worker and writes the answer the sender asked for.",
        details=loads.details(_OURS),
    )


def _hub(running: ExitStack, installation: Installation) -> Server:
    port = free_port()
    installation.settings.feeds.mkdir(parents=True, exist_ok=True)
    feed = installation.settings.feeds / "bench.yml"
    feed.write_text(f"source: bench\nformat: hl7v2\ntransport: mllp\nport: {port}\n", encoding="utf-8")
    environment = {
        "WHOLECHART_DATA_DIR": str(installation.settings.data_dir),
        "WHOLECHART_API_PORT": str(free_port()),
    }
    return running.enter_context(serving("hub_api.server", port=port, environment=environment))


def _bare(running: ExitStack, installation: Installation) -> Server:
    port = free_port()
    module = "benchmarks.baselines.bare_listener"
    environment = {"BARE_DATABASE": installation.database.conninfo}
    return running.enter_context(serving(module, str(port), port=port, environment=environment))
