"""The simulator by itself: `python -m pipelines.simulation --people 1000 --seed 1 OUT`."""

from __future__ import annotations

import argparse
from pathlib import Path

from pipelines.simulation.simulate import simulate


def main() -> None:
    """Simulate as many people as asked for."""
    parser = argparse.ArgumentParser(prog="python -m pipelines.simulation", description=__doc__)
    parser.add_argument("--people", type=int, default=1000, help="how many persons (default 1000)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same bytes (default 1)")
    parser.add_argument("out", type=Path, help="folder for feeds and truth; made if missing")
    given = parser.parse_args()
    try:
        simulate(given.people, given.seed, given.out)
    except FileExistsError:
        parser.error(f"{given.out} holds a simulated group already: choose another folder")


if __name__ == "__main__":
    main()
