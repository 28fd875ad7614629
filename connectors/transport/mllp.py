"""MLLP over TCP: a listener that frames messages and sends back what its responder answers, and a client.

The listener never knows who answers. A peer may send many messages without waiting: up to `in_flight` of them are with
the responder at once, and answers leave in the order of the messages. What a peer does wrong costs that peer its
connection and the operator one log line; no line ever holds what was sent.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import TracebackType
from typing import TypeAlias

from connectors.hl7v2.framing import Frame, FrameDecoder, frame
from hub_core.errors import UnreadableError, WholechartError

Responder: TypeAlias = Callable[[bytes, str], Awaitable[bytes]]
"""Answers a message; the second argument is the peer's address. An empty answer sends nothing back."""

_CHUNK = 1 << 16
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """What one listener allows."""

    message_bytes: int = 64 << 20
    connections: int = 256
    in_flight: int = 64
    """Messages of one connection that the responder may hold at once."""
    idle_seconds: float = 600.0
    answer_seconds: float = 30.0
    """How long a peer may take to read an answer, and how long closing waits for acknowledged work."""


class MLLPListener:
    """Listens on one port; `async with` starts and closes it."""

    def __init__(
        self,
        responder: Responder,
        *,
        host: str = "127.0.0.1",
        port: int = 2575,
        limits: Limits | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Answer messages on `host`:`port` (0: any free port) by `responder`, over TLS if a context is given."""
        self._responder = responder
        self._host, self._port = host, port
        self._limits = limits or Limits()
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    @property
    def port(self) -> int:
        """The port listened on, once started."""
        if self._server is None:
            return self._port
        return int(self._server.sockets[0].getsockname()[1])

    async def start(self) -> None:
        """Begin to accept connections."""
        self._server = await asyncio.start_server(self._accept, self._host, self._port, ssl=self._tls, limit=_CHUNK)

    async def close(self) -> None:
        """Accept nothing more, finish the messages already received, send their answers, and end."""
        if self._server is None:
            return
        self._server.close()
        for task in self._connections:
            task.cancel()
        if self._connections:
            await asyncio.wait(self._connections, timeout=self._limits.answer_seconds)
        await self._server.wait_closed()

    async def __aenter__(self) -> MLLPListener:
        """Start listening."""
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the listener."""
        await self.close()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = _peer(writer)
        if len(self._connections) >= self._limits.connections:
            _LOG.warning("MLLP %s: refused, %d connections are open", peer, len(self._connections))
            writer.close()
            return
        task = asyncio.current_task()
        if task is None:
            return
        self._connections.add(task)
        try:
            await _Conversation(reader, writer, peer, self._responder, self._limits).run()
        except asyncio.CancelledError:
            _LOG.info("MLLP %s: closed by the listener", peer)
        except Exception as error:  # boundary: the other connections of the listener
            _LOG.error("MLLP %s: closed after %s", peer, type(error).__name__)
        finally:
            self._connections.discard(task)
            writer.close()
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await writer.wait_closed()


class _Conversation:
    """One connection: one task reads and hands messages to the responder, another writes the answers in order."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        peer: str,
        responder: Responder,
        limits: Limits,
    ) -> None:
        self._reader, self._writer, self._peer = reader, writer, peer
        self._responder, self._limits = responder, limits
        self._answers: asyncio.Queue[asyncio.Task[bytes] | None] = asyncio.Queue(limits.in_flight)

    async def run(self) -> None:
        """Converse until the peer or the listener ends; messages received by then still get their answers."""
        sending = asyncio.create_task(self._send())
        receiving = asyncio.create_task(self._receive())
        try:
            await asyncio.wait((receiving, sending), return_when=asyncio.FIRST_COMPLETED)
        finally:
            receiving.cancel()
            await asyncio.wait((receiving,))
            await self._finish(sending)
        for task in (receiving, sending):
            if not task.cancelled() and (error := task.exception()) is not None:
                raise error

    async def _finish(self, sending: asyncio.Task[None]) -> None:
        """Let the answers under way leave, then end."""
        ending = asyncio.create_task(self._answers.put(None))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._limits.answer_seconds):
                await asyncio.wait((ending, sending), return_when=asyncio.FIRST_COMPLETED)
                await asyncio.wait((sending,))
        ending.cancel()
        if not sending.done():
            sending.cancel()
            await asyncio.wait((sending,))
        while not self._answers.empty():
            left = self._answers.get_nowait()
            if left is not None:
                left.cancel()

    async def _receive(self) -> None:
        decoder = FrameDecoder(self._limits.message_bytes)
        while True:
            try:
                async with asyncio.timeout(self._limits.idle_seconds):
                    chunk = await self._reader.read(_CHUNK)
            except TimeoutError:
                _LOG.info("MLLP %s: closed, nothing came for %.0f s", self._peer, self._limits.idle_seconds)
                return
            events = decoder.feed(chunk) if chunk else decoder.close()
            for event in events:
                if isinstance(event, Frame):
                    await self._hand_over(event.body)
                else:
                    _LOG.warning("MLLP %s: closed at byte %d, %s", self._peer, event.offset, event.text)
                    return
            if not chunk:
                return

    async def _hand_over(self, body: bytes) -> None:
        """Give a message to the responder; waits while `in_flight` of them are with it."""
        answer = asyncio.create_task(self._respond(body))
        try:
            await self._answers.put(answer)
        except asyncio.CancelledError:
            answer.cancel()
            raise

    async def _respond(self, body: bytes) -> bytes:
        return await self._responder(body, self._peer)

    async def _send(self) -> None:
        while (answer := await self._answers.get()) is not None:
            body = await answer
            if body:
                self._writer.write(frame(body))
                async with asyncio.timeout(self._limits.answer_seconds):
                    await self._writer.drain()


def _peer(writer: asyncio.StreamWriter) -> str:
    address = writer.get_extra_info("peername")
    return f"{address[0]}:{address[1]}" if address else "unknown"


class MLLPClient:
    """Sends messages over one connection that is kept, and waits for each answer; `with` closes it."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        timeout: float = 30.0,
        limit: int = 64 << 20,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Speak to `host`:`port`; an answer may take `timeout` seconds and have `limit` bytes."""
        self._address = (host, port)
        self._timeout, self._limit, self._tls = timeout, limit, tls
        self._socket: socket.socket | None = None
        self._decoder = FrameDecoder(limit)

    def send(self, body: bytes) -> bytes:
        """Return the answer to `body`; connects first where there is no connection.

        Raises:
            ConnectionError: if the peer cannot be reached or ends the connection before it answers.
            TimeoutError: if no answer comes in time.
            UnreadableError: if the answer is not framed.
        """
        try:
            connection = self._connected()
            connection.sendall(frame(body))
            while chunk := connection.recv(_CHUNK):
                for event in self._decoder.feed(chunk):
                    if isinstance(event, Frame):
                        return event.body
                    raise UnreadableError(event.text, location="MLLP answer")
            raise ConnectionResetError("the peer ended the connection without an answer")
        except (OSError, WholechartError):
            self.close()
            raise

    def close(self) -> None:
        """End the connection; the next message opens a new one."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _connected(self) -> socket.socket:
        if self._socket is None:
            connection = socket.create_connection(self._address, timeout=self._timeout)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls is not None:
                connection = self._tls.wrap_socket(connection, server_hostname=self._address[0])
            self._socket = connection
            self._decoder = FrameDecoder(self._limit)
        return self._socket

    def __enter__(self) -> MLLPClient:
        """Return the client; it connects when the first message is sent."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the connection."""
        self.close()


class AsyncMLLPClient:
    """The same for asyncio; messages sent concurrently are pipelined, answers matched by their order."""

    def __init__(self, host: str, port: int, *, timeout: float = 30.0, limit: int = 64 << 20) -> None:
        """Speak to `host`:`port`; an answer may take `timeout` seconds and have `limit` bytes."""
        self._address = (host, port)
        self._timeout, self._limit = timeout, limit
        self._waiting: asyncio.Queue[asyncio.Future[bytes]] = asyncio.Queue()
        self._writer: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None

    async def __aenter__(self) -> AsyncMLLPClient:
        """Connect."""
        reader, self._writer = await asyncio.open_connection(*self._address)
        self._reading = asyncio.create_task(self._read(reader))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the connection."""
        if self._writer is not None:
            self._writer.close()
            with contextlib.suppress(OSError):
                await self._writer.wait_closed()
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.wait((self._reading,))

    async def send(self, body: bytes) -> bytes:
        """Return the answer to `body`.

        Raises:
            ConnectionError: if the connection is not open, or ends before the answer.
            TimeoutError: if no answer comes in time.
        """
        if self._writer is None or self._reading is None or self._reading.done():
            raise ConnectionResetError("the connection is not open")
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._waiting.put_nowait(answer)
        self._writer.write(frame(body))
        async with asyncio.timeout(self._timeout):
            await self._writer.drain()
            return await answer

    async def _read(self, reader: asyncio.StreamReader) -> None:
        decoder = FrameDecoder(self._limit)
        try:
            while chunk := await reader.read(_CHUNK):
                for event in decoder.feed(chunk):
                    if not isinstance(event, Frame):
                        return
                    answer = await self._waiting.get()
                    if not answer.done():
                        answer.set_result(event.body)
        finally:
            while not self._waiting.empty():
                answer = self._waiting.get_nowait()
                if not answer.done():
                    answer.set_exception(ConnectionResetError("the connection ended before the answer"))
