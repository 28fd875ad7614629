"""The garbage collector, kept from walking a large set again and again while it is read."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_paused() -> Iterator[None]:
    """Pause the garbage collector if it runs, and let it go on afterwards.

    What a set of thousands of claims becomes is half a million small objects without a cycle among them; walking them
    took half the time of a conversion, measured.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
