"""MLLP over real sockets: framing, order, limits, and closing without losing an answer."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
from collections.abc import AsyncIterator, Coroutine
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from connectors.hl7v2.framing import frame
from connectors.transport.mllp import AsyncMLLPClient, Limits, MLLPClient, MLLPListener


async def echo(body: bytes, peer: str) -> bytes:
    """Answer with what came."""
    return b"ack " + body


def run(work: Coroutine[Any, Any, None]) -> None:
    """Run a test that must not hang."""

    async def bounded() -> None:
        async with asyncio.timeout(20):
            await work

    asyncio.run(bounded())


@contextlib.asynccontextmanager
async def connection(listener: MLLPListener) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Open a bare connection, so that tests decide what is on the wire."""
    reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
    try:
        yield reader, writer
    finally:
        writer.close()


def test_split_and_merged_packets_are_answered_in_order() -> None:
    """Frames and packets have nothing to do with each other."""

    async def work() -> None:
        async with MLLPListener(echo, port=0) as listener, connection(listener) as (reader, writer):
            stream = frame(b"one") + frame(b"two\rlines") + frame(b"three")
            for byte in stream[:9]:
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(0)
            writer.write(stream[9:])
            expected = frame(b"ack one") + frame(b"ack two\rlines") + frame(b"ack three")
            assert await reader.readexactly(len(expected)) == expected

    run(work())


def test_answers_keep_the_order_of_messages_though_many_are_in_flight() -> None:
    """The first message is answered last, and its answer still leaves first."""
    begun: list[bytes] = []
    release = asyncio.Event()

    async def respond(body: bytes, peer: str) -> bytes:
        begun.append(body)
        if body == b"0":
            await release.wait()
            assert len(begun) <= 6, "no more are with the responder than are allowed, one sent and one waiting"
        return body

    async def work() -> None:
        limits = Limits(in_flight=4)
        async with MLLPListener(respond, port=0, limits=limits) as listener, connection(listener) as (reader, writer):
            for number in range(20):
                writer.write(frame(b"%d" % number))
            while len(begun) < 4:
                await asyncio.sleep(0)
            release.set()
            expected = b"".join(frame(b"%d" % number) for number in range(20))
            assert await reader.readexactly(len(expected)) == expected

    run(work())


def test_empty_answer_sends_nothing() -> None:
    """A sender that wants no answer gets none; the next message is answered."""

    async def respond(body: bytes, peer: str) -> bytes:
        return b"" if body == b"quiet" else body

    async def work() -> None:
        async with MLLPListener(respond, port=0) as listener, connection(listener) as (reader, writer):
            writer.write(frame(b"quiet") + frame(b"loud"))
            assert await reader.readexactly(len(frame(b"loud"))) == frame(b"loud")

    run(work())


@pytest.mark.parametrize("sent", [b"GET / HTTP/1.1\r\n\r\n", frame(b"x" * 2000), b"\x0bhalf" + frame(b"whole")])
def test_what_is_no_frame_ends_the_connection_without_an_answer(sent: bytes, caplog: pytest.LogCaptureFixture) -> None:
    """With one log line that holds nothing of what was sent."""

    async def work() -> None:
        limits = Limits(message_bytes=1000)
        async with MLLPListener(echo, port=0, limits=limits) as listener, connection(listener) as (reader, writer):
            writer.write(sent)
            assert await reader.read() == b""

    with caplog.at_level(logging.WARNING, "connectors.transport.mllp"):
        run(work())
    (line,) = caplog.messages
    assert "closed at byte" in line
    assert not any(word in line for word in ("GET", "xxx", "half", "whole"))


def test_messages_before_a_fault_are_still_answered() -> None:
    """What was received whole is acknowledged."""

    async def work() -> None:
        async with MLLPListener(echo, port=0) as listener, connection(listener) as (reader, writer):
            writer.write(frame(b"good") + b"junk")
            assert await reader.read() == frame(b"ack good")

    run(work())


def test_idle_connections_are_closed() -> None:
    """A peer that went away does not hold a place for ever."""

    async def work() -> None:
        limits = Limits(idle_seconds=0.05)
        async with MLLPListener(echo, port=0, limits=limits) as listener, connection(listener) as (reader, _):
            assert await reader.read() == b""

    run(work())


def test_connections_over_the_limit_are_refused() -> None:
    """Those that are open go on."""

    async def work() -> None:
        limits = Limits(connections=1)
        async with MLLPListener(echo, port=0, limits=limits) as listener, connection(listener) as (reader, writer):
            writer.write(frame(b"a"))
            await reader.readexactly(len(frame(b"ack a")))
            async with connection(listener) as (refused, _):
                assert await refused.read() == b""
            writer.write(frame(b"b"))
            assert await reader.readexactly(len(frame(b"ack b"))) == frame(b"ack b")

    run(work())


def test_responder_that_fails_ends_its_connection_only(caplog: pytest.LogCaptureFixture) -> None:
    """No answer is better than a false one; the error's text, which may quote the message, is not logged."""

    async def respond(body: bytes, peer: str) -> bytes:
        if body == b"bad":
            raise ValueError("secret")
        return body

    async def work() -> None:
        async with (
            MLLPListener(respond, port=0) as listener,
            connection(listener) as (reader, writer),
            connection(listener) as (other, other_writer),
        ):
            writer.write(frame(b"bad"))
            assert await reader.read() == b""
            other_writer.write(frame(b"fine"))
            assert await other.readexactly(len(frame(b"fine"))) == frame(b"fine")

    run(work())
    assert "ValueError" in caplog.text
    assert "secret" not in caplog.text


def test_closing_finishes_what_was_received() -> None:
    """A message with the responder is answered before the listener is gone."""
    received, release = asyncio.Event(), asyncio.Event()

    async def respond(body: bytes, peer: str) -> bytes:
        received.set()
        await release.wait()
        return body

    async def work() -> None:
        listener = MLLPListener(respond, port=0)
        await listener.start()
        async with connection(listener) as (reader, writer):
            writer.write(frame(b"stored"))
            await received.wait()
            closing = asyncio.create_task(listener.close())
            await asyncio.sleep(0.05)
            assert not closing.done()
            release.set()
            assert await reader.read() == frame(b"stored")
            await closing

    run(work())


def test_peer_that_leaves_early_harms_nobody() -> None:
    """Its messages were taken; the listener serves the next one."""

    async def work() -> None:
        async with MLLPListener(echo, port=0) as listener:
            for _ in range(3):
                async with connection(listener) as (_, writer):
                    writer.write(frame(b"x") * 50)
                    writer.transport.abort()
            async with AsyncMLLPClient("127.0.0.1", listener.port) as client:
                assert await client.send(b"y") == b"ack y"

    run(work())


def test_clients() -> None:
    """The plain one keeps its connection; the asyncio one pipelines."""
    peers: set[str] = set()

    async def respond(body: bytes, peer: str) -> bytes:
        peers.add(peer)
        return body

    async def work() -> None:
        async with MLLPListener(respond, port=0) as listener:
            with MLLPClient("127.0.0.1", listener.port, timeout=5) as client:
                for number in range(3):
                    assert await asyncio.to_thread(client.send, b"%d" % number) == b"%d" % number
            assert len(peers) == 1
            async with AsyncMLLPClient("127.0.0.1", listener.port) as client:
                answers = await asyncio.gather(*(client.send(b"%d" % number) for number in range(100)))
            assert answers == [b"%d" % number for number in range(100)]

    run(work())


def test_tls(tmp_path: Path) -> None:
    """With a certificate on both ends of the listener's choice; a plain client gets nothing."""
    certificate, key = self_signed(tmp_path)
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(certificate, key)
    client_side = ssl.create_default_context(cafile=str(certificate))

    async def work() -> None:
        async with MLLPListener(echo, port=0, tls=server) as listener:
            with MLLPClient("localhost", listener.port, timeout=5, tls=client_side) as client:
                assert await asyncio.to_thread(client.send, b"x") == b"ack x"
            with MLLPClient("localhost", listener.port, timeout=0.5) as plain, pytest.raises(OSError):  # noqa: PT011
                await asyncio.to_thread(plain.send, b"x")

    run(work())


def self_signed(folder: Path) -> tuple[Path, Path]:
    """Write a certificate for localhost and its key."""
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    today = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(
            name, name, private.public_key(), x509.random_serial_number(), today, today + timedelta(1)
        )
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(private, hashes.SHA256())
    )
    certificate_file, key_file = folder / "certificate.pem", folder / "key.pem"
    certificate_file.write_bytes(certificate.public_bytes(Encoding.PEM))
    key_file.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return certificate_file, key_file


def test_client_without_an_answer() -> None:
    """It gives up in time, and says so."""

    async def never(body: bytes, peer: str) -> bytes:
        await asyncio.sleep(1)
        return body

    async def work() -> None:
        async with MLLPListener(never, port=0) as listener:
            with MLLPClient("127.0.0.1", listener.port, timeout=0.1) as client, pytest.raises(TimeoutError):
                await asyncio.to_thread(client.send, b"x")
            async with AsyncMLLPClient("127.0.0.1", listener.port, timeout=0.1) as other:
                with pytest.raises(TimeoutError):
                    await other.send(b"x")
            port = listener.port
        with MLLPClient("127.0.0.1", port, timeout=0.1) as client, pytest.raises(ConnectionError):
            await asyncio.to_thread(client.send, b"x")

    run(work())
