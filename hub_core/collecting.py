"""How often Python looks for rubbish in a process that works for a long time."""

from __future__ import annotations

import atexit
import gc


def collect_rarely() -> None:
    """Make this process one that works: Python looks for cycles less often, and no more in what is there for good.

    A batch makes a million objects and drops them, and a page a hundred thousand. Looking through all there are again
    and again costs a worker a tenth of its time, and once in a dozen pages keeps somebody waiting for as long again.
    """
    gc.collect()
    gc.freeze()
    atexit.register(gc.unfreeze)  # at the very end libraries look whether anything of theirs is left, and complain
    gc.set_threshold(50_000, 20, 20)
