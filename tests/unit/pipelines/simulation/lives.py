"""A thousand simulated people, made once for all tests of them."""

from functools import cache

from pipelines.simulation.chapters import live
from pipelines.simulation.world import Chapter


@cache
def a_thousand(seed: int) -> Chapter:
    """Return a whole chapter; nobody may change it."""
    return live(seed, 0, 1000)
