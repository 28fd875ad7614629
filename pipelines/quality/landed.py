"""Great Expectations over what each feed has landed since the last build, as pandas frames of envelopes.

Faults that would make the warehouse wrong are errors: resources without their patient, times that have not come yet.
Rejects are warnings: a refused record never reached the record, so the rest may well be published.
Only counts and verdicts leave this module, never a value.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from hub_core.quoting import literal
from pipelines.lake.manifest import Manifest
from pipelines.quality.findings import Finding, Gravity

if TYPE_CHECKING:
    import pandas as pd

_ABOUT_A_PATIENT = (
    "AllergyIntolerance",
    "Claim",
    "Condition",
    "Coverage",
    "DiagnosticReport",
    "Encounter",
    "ExplanationOfBenefit",
    "Immunization",
    "MedicationRequest",
    "Observation",
)
_MOST_ROWS = 200_000
"""Rows of a feed that are looked at, drawn from all that have landed; the same ones each time."""

_RESOURCES = """
SELECT coalesce(message.feed, resource.source) AS feed, resource.resource_type AS kind,
       CASE WHEN resource.resource_type IN ({about}) THEN resource.patient_id ELSE '' END AS patient_id,
       coalesce(date_diff('second', resource.recorded_at, resource.event_at), 0) AS seconds_ahead
FROM ({changes}) AS resource
LEFT JOIN read_parquet({messages}) AS message ON message.message_id = resource.message_id
WHERE NOT resource.deleted
USING SAMPLE reservoir({most} ROWS) REPEATABLE (1)
"""
_MESSAGES = """
SELECT feed, kind, records, rejected, rejected / greatest(records, 1) AS rejected_share
FROM read_parquet({messages}) WHERE state <> 'received'
USING SAMPLE reservoir({most} ROWS) REPEATABLE (1)
"""


@dataclass(frozen=True, slots=True)
class _Rule:
    """One expectation in Great Expectations' terms, with the words a person reads."""

    says: str
    gravity: Gravity
    name: str
    arguments: dict[str, Any]


_OF_RESOURCES = (
    _Rule("names its patient", "error", "ExpectColumnValuesToNotBeNull", {"column": "patient_id", "mostly": 0.99}),
    _Rule(
        "says nothing of the future",
        "error",
        "ExpectColumnValuesToBeBetween",
        {"column": "seconds_ahead", "max_value": 86_400, "mostly": 0.99},
    ),
    _Rule("knows its types", "error", "ExpectColumnValuesToNotBeNull", {"column": "kind"}),
)
_OF_MESSAGES = (
    _Rule(
        "is taken, not rejected",
        "warning",
        "ExpectColumnMeanToBeBetween",
        {"column": "rejected_share", "max_value": 0.1},
    ),
    _Rule(
        "sends kinds that are known",
        "warning",
        "ExpectColumnValuesToNotBeInSet",
        {"column": "kind", "value_set": ["unreadable", "unknown"], "mostly": 0.95},
    ),
)


def check_landed(lake: Path, manifest: Manifest, after: int) -> Iterator[Finding]:
    """Yield what Great Expectations finds in each feed's resources numbered above `after`, and in its messages."""
    frames = [*_frames(lake, manifest, after)]
    if not frames:
        return
    validator = _Validator()
    for feed, frame, rules in frames:
        for rule in rules:
            passed = validator.holds(feed, frame, rule)
            yield Finding("great_expectations", feed, rule.says, rule.gravity, passed, len(frame))


def _frames(lake: Path, manifest: Manifest, after: int) -> Iterator[tuple[str, pd.DataFrame, tuple[_Rule, ...]]]:
    """Yield a frame per feed and table, with the rules it must keep."""
    messages = _files(lake, manifest, "messages")
    changes = " UNION ALL ".join(
        f"SELECT * FROM read_parquet({literal(str(lake / file.path))}) WHERE seq > {int(after)}"  # noqa: S608 - our own file
        for file in manifest.files
        if file.last_seq > after
    )
    about = ", ".join(map(literal, _ABOUT_A_PATIENT))
    with duckdb.connect(config={"threads": 2}) as connection:
        if changes:
            query = _RESOURCES.format(about=about, changes=changes, messages=messages, most=_MOST_ROWS)
            yield from _by_feed(connection.execute(query).df(), _OF_RESOURCES)
        if manifest.of("messages"):
            yield from _by_feed(
                connection.execute(_MESSAGES.format(messages=messages, most=_MOST_ROWS)).df(), _OF_MESSAGES
            )


def _by_feed(landed: pd.DataFrame, rules: tuple[_Rule, ...]) -> Iterator[tuple[str, pd.DataFrame, tuple[_Rule, ...]]]:
    for feed, frame in landed.groupby("feed"):
        yield str(feed), frame.reset_index(drop=True), rules


def _files(lake: Path, manifest: Manifest, table: str) -> str:
    return "[" + ", ".join(literal(str(lake / file.path)) for file in manifest.of(table)) + "]"


class _Validator:
    """Great Expectations, imported when there is something to check: it takes seconds."""

    def __init__(self) -> None:
        os.environ["GX_ANALYTICS_ENABLED"] = "false"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of modules it uses that Python is giving up
            import great_expectations as gx
            from great_expectations.data_context.types.base import ProgressBarsConfig

        self._expectations = gx.expectations
        context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = ProgressBarsConfig(globally=False)
        asset = context.data_sources.add_pandas("landed").add_dataframe_asset("envelopes")
        self._batches = asset.add_batch_definition_whole_dataframe("whole")

    def holds(self, feed: str, frame: pd.DataFrame, rule: _Rule) -> bool:
        """Return whether a frame keeps a rule."""
        batch = self._batches.get_batch(batch_parameters={"dataframe": frame})
        expectation = getattr(self._expectations, rule.name)(**rule.arguments)
        # Any other format would keep sample values, which are patients' data.
        return bool(batch.validate(expectation, result_format="BOOLEAN_ONLY").success)
