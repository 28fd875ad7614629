"""What a connector remembers while many messages are converted together, most of which repeat parts of others.

It holds what patients' messages say, so it lives no longer than the messages themselves: in memory only, and gone when
the batch is converted. A batch has a bound on its bytes, and so has what is remembered of it.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeAlias

Memory: TypeAlias = dict[Hashable, dict[Hashable, Any]]
"""What parts of messages came to: by all that messages may be read differently by, then by the words of the part."""

_batch: ContextVar[Memory | None] = ContextVar("_batch", default=None)


@contextmanager
def remembering() -> Iterator[Memory]:
    """Let what is converted in this thread, until the end of the block, share what is said in the same words."""
    memory: Memory = {}
    token = _batch.set(memory)
    try:
        yield memory
    finally:
        _batch.reset(token)


def remembered(scope: Hashable) -> dict[Hashable, Any]:
    """Return what is remembered of messages read alike; a message that is converted alone has a memory of its own."""
    memory = _batch.get()
    return {} if memory is None else memory.setdefault(scope, {})
