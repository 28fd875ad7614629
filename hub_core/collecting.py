"""How often Python looks for rubbish in a process that works for a long time, and when it does not look at all."""

from __future__ import annotations

import atexit
import gc
from collections.abc import Iterator
from contextlib import contextmanager


def collect_rarely() -> None:
    """Make this process one that works: Python looks for cycles less often, and no more in what is there for good.

    A batch makes a million objects and drops them, and a page a hundred thousand. Looking through all there are again
    and again costs a worker a tenth of its time, and once in a dozen pages keeps somebody waiting for as long again.
    """
    gc.collect()
    gc.freeze()
    atexit.register(gc.unfreeze)  # at the very end libraries look whether anything of theirs is left, and complain
    gc.set_threshold(50_000, 20, 20)


@contextmanager
def collector_paused() -> Iterator[None]:
    """Leave cycles alone for a while, where there are hardly any among the many objects that are made.

    What a batch of messages or a set of claims becomes is half a million small objects; walking through them took a
    fifth of the time of a worker and half of that of a conversion, measured.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
