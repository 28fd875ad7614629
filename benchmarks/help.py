"""How long `wholechart --help` takes, beside an interpreter that does nothing."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

from benchmarks.measuring import Figure, rounded

_ROUNDS = 15
_COMMANDS = {
    "wholechart": (sys.executable, "-m", "pipelines", "--help"),
    "python -c pass": (sys.executable, "-c", "pass"),
}


def measure(scale: float) -> Figure:
    """Return the median of the seconds."""
    seconds: dict[str, list[float]] = {name: [] for name in _COMMANDS}
    for _ in range(max(3, int(_ROUNDS * scale))):
        for name, command in _COMMANDS.items():
            started = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            seconds[name].append(time.perf_counter() - started)
    return Figure(
        benchmark="help",
        unit="seconds, lower is better",
        results={name: rounded(statistics.median(taken)) for name, taken in seconds.items()},
        input="wholechart --help",
        notes="A process from start to end, files in the disk cache; the goal is under 0.5 s.",
        details={f"slowest {name}": rounded(max(taken)) for name, taken in seconds.items()},
    )
