"""Accounting for one run of `ingest`: what became of every record that it brought."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from hub_core.collecting import collect_rarely
from pipelines.intake import Intake

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub_core.database import Database
    from pipelines.installation import Installation


class Reject(NamedTuple):
    """One record that was not taken."""

    input: str
    position: int
    reason: str


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What became of the records: `records = processed + duplicates + filtered + rejected`."""

    files: int
    records: int
    processed: int
    duplicates: int
    filtered: int
    rejected: int
    resources: int
    changed: int
    warnings: int
    """Findings about records that were taken all the same, such as a Bundle's entry that had to be left out."""
    rejects: list[Reject]
    skipped: list[tuple[str, str]]
    seconds: float


def apply_all(installation: Installation, intake: Intake, advance: Callable[[int], None]) -> None:
    """Apply what the intake stored, here and by whichever workers run beside us, until none of it waits."""
    collect_rarely()
    worker = installation.worker()
    while _waiting(installation.database, intake):
        for applied in worker.drain():
            advance(applied)
        time.sleep(0.05)  # what is left is with other workers


def account(installation: Installation, intake: Intake, seconds: float) -> IngestReport:
    """Return what became of the intake's records."""
    tally = intake.tally
    with installation.database.begin() as unit:
        row = unit.driver.execute(
            "SELECT coalesce(sum(processed), 0), coalesce(sum(filtered), 0), coalesce(sum(rejected), 0),"
            " coalesce(sum(resources), 0), coalesce(sum(changed), 0) FROM message WHERE intake = %s",
            (intake.intake_id,),
        ).fetchall()[0]
        rejects = unit.driver.execute(
            "SELECT r.input, r.position + coalesce(m.position, 1) - 1 AS place, string_agg(DISTINCT"
            " CASE WHEN r.location = '' THEN r.reason ELSE r.location || ': ' || r.reason END, '; ')"
            " FROM reject r LEFT JOIN message m USING (message_id)"
            " WHERE r.intake = %s AND r.severity IN ('error', 'fatal')"
            " GROUP BY r.input, place, coalesce(r.message_id, r.reject_id) ORDER BY r.input, place",
            (intake.intake_id,),
        ).fetchall()
        warnings = unit.driver.execute(
            "SELECT count(*) FROM reject WHERE intake = %s AND severity = 'warning'", (intake.intake_id,)
        ).fetchall()[0][0]
    processed, filtered, rejected, resources, changed = (int(value) for value in row)
    return IngestReport(
        files=tally.files,
        records=tally.records,
        processed=processed,
        duplicates=tally.duplicates,
        filtered=filtered,
        rejected=rejected + tally.refused,
        resources=resources,
        changed=changed,
        warnings=warnings,
        rejects=[Reject(*found) for found in rejects],
        skipped=[(refusal.input, refusal.reason) for refusal in tally.skipped],
        seconds=round(seconds, 2),
    )


def _waiting(database: Database, intake: Intake) -> bool:
    with database.begin() as unit:
        rows = unit.driver.execute(
            "SELECT EXISTS (SELECT 1 FROM message WHERE state = 'received' AND (intake = %s OR message_id = ANY(%s)))",
            (intake.intake_id, list(intake.repeated)),
        ).fetchall()
    return bool(rows[0][0])
