"""The dialects there are, by name."""

from __future__ import annotations

from pipelines.views.dialects.dialect import Dialect
from pipelines.views.dialects.duckdb import DUCKDB
from pipelines.views.dialects.spark import SPARK

DIALECTS: dict[str, Dialect] = {each.name: each for each in (DUCKDB, SPARK)}
