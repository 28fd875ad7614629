"""A bare group-commit loop: frames in, one row each into PostgreSQL, a fixed answer once it is durable.

No envelope is read, nothing encrypted, deduplicated or queued for anybody: the floor under a durable acknowledgement.
`python -m benchmarks.baselines.bare_listener PORT`, the database in `BARE_DATABASE`.
"""

from __future__ import annotations

import asyncio
import os
import sys

import psycopg

from hub_core.group_commit import GroupCommit

_END = b"\x1c\r"
_ANSWER = b"\x0bMSH|^~\\&|||||20260101||ACK|1|P|2.5.1\rMSA|AA|1\r" + _END
_LIMIT = 16 * 1024 * 1024


async def listen(port: int, conninfo: str) -> None:
    """Answer until stopped."""
    with psycopg.connect(conninfo) as connection:
        connection.execute("CREATE TABLE bare_message (id bigint GENERATED ALWAYS AS IDENTITY, body bytea)")
        connection.commit()

        def write(bodies: list[bytes]) -> list[None]:
            connection.execute("INSERT INTO bare_message (body) SELECT unnest(%s::bytea[])", (bodies,))
            connection.commit()
            return [None] * len(bodies)

        commits = GroupCommit(write, name="bare messages")

        async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                while True:
                    framed = await reader.readuntil(_END)
                    await asyncio.wrap_future(commits.submit(framed[1:-2]))
                    writer.write(_ANSWER)
                    await writer.drain()
            except (asyncio.IncompleteReadError, ConnectionError):
                writer.close()

        server = await asyncio.start_server(converse, "127.0.0.1", port, limit=_LIMIT)
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(listen(int(sys.argv[1]), os.environ["BARE_DATABASE"]))
