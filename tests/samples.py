"""The sample files that ship with the product: feeds of a few fictional practices, to try things with."""

from __future__ import annotations

from pathlib import Path

SAMPLES = Path(__file__).parents[1] / "pipelines" / "samples"
