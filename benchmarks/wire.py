"""A closed loop over kept connections: each sends, waits for the whole answer, and sends again, until time is up."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from benchmarks.measuring import milliseconds, percentile, rounded
from benchmarks.scratch import Server

Exchange: TypeAlias = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[bool]]
"""Sends one request and reads its answer; False once there is nothing more to send.

Raises:
    AssertionError: if the answer is not what was hoped for: a figure over errors says nothing.
"""

_FRAME_END = b"\x1c\r"
_LIMIT = 16 * 1024 * 1024


@dataclass(slots=True)
class Load:
    """What came of a stretch of load."""

    seconds: float = 0.0
    cpu_seconds: float = 0.0
    """What the server used; its database not counted."""
    answered_in: list[float] = field(default_factory=list)
    """Seconds each answer took."""


class Loads:
    """What came of each contender's load at each number of connections, round by round."""

    def __init__(self) -> None:
        self._taken: dict[tuple[str, int], list[Load]] = {}

    def add(self, name: str, connections: int, load: Load) -> None:
        """Add what came of one round."""
        self._taken.setdefault((name, connections), []).append(load)

    def rate(self, name: str, connections: int) -> float:
        """Return the answers per second of the median round."""
        taken = self._taken[name, connections]
        return rounded(statistics.median(len(load.answered_in) / load.seconds for load in taken))

    def details(self, ours: str) -> dict[str, float]:
        """Return rates, waits, CPU time an answer, and how our rates stand to those of the others."""
        others = [at for at in self._taken if at[0] != ours]
        return {
            **{_named("rate", at): self.rate(*at) for at in self._taken},
            **{_named("p50 ms", at): milliseconds(percentile(self._waits(at), 0.5)) for at in self._taken},
            **{_named("p99 ms", at): milliseconds(percentile(self._waits(at), 0.99)) for at in self._taken},
            **{_named("server's CPU ms an answer", at): milliseconds(self._cpu(at)) for at in self._taken},
            **{_named("ratio to", at): rounded(self.rate(ours, at[1]) / self.rate(*at)) for at in others},
        }

    def _waits(self, at: tuple[str, int]) -> list[float]:
        return [seconds for load in self._taken[at] for seconds in load.answered_in]

    def _cpu(self, at: tuple[str, int]) -> float:
        return sum(load.cpu_seconds for load in self._taken[at]) / len(self._waits(at))


def _named(what: str, at: tuple[str, int]) -> str:
    name, connections = at
    return f"{what}: {name}, {connections} connection{'s' if connections > 1 else ''}"


def offer(server: Server, exchange: Exchange, *, connections: int, seconds: float) -> Load:
    """Offer a server as much load as so many connections can, for so long, and return what came of it."""
    before = server.cpu()
    load = asyncio.run(_offer(server.port, exchange, connections, seconds))
    load.cpu_seconds = server.cpu() - before
    return load


async def _offer(port: int, exchange: Exchange, connections: int, seconds: float) -> Load:
    load = Load()
    opened = [await asyncio.open_connection("127.0.0.1", port, limit=_LIMIT) for _ in range(connections)]
    for reader, writer in opened:
        await exchange(reader, writer)  # what is made ready with the first request is not measured
    started = time.perf_counter()
    deadline = started + seconds

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        before = time.perf_counter()
        while before < deadline and await exchange(reader, writer):
            after = time.perf_counter()
            load.answered_in.append(after - before)
            before = after

    await asyncio.gather(*(converse(*each) for each in opened))
    load.seconds = time.perf_counter() - started
    for _, writer in opened:
        writer.close()
        await writer.wait_closed()
    return load


def mllp_exchange(messages: Iterator[bytes]) -> Exchange:
    """Return what sends the next message and wants it accepted."""

    async def exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        message = next(messages, None)
        if message is None:
            return False
        writer.write(b"\x0b" + message + _FRAME_END)
        answer = await reader.readuntil(_FRAME_END)
        assert b"MSA|AA" in answer or b"MSA|CA" in answer, answer
        return True

    return exchange


def http_exchange(requests: Iterator[bytes]) -> Exchange:
    """Return what sends the next HTTP/1.1 request and wants 200 with a length."""

    async def exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        request = next(requests, None)
        if request is None:
            return False
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        assert b" 200 " in head[:16], head[:64]
        length = head.partition(b"content-length:")[2].partition(b"\r\n")[0]
        await reader.readexactly(int(length))
        return True

    return exchange
