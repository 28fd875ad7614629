"""The lake as assets: the change log and the envelopes, and Great Expectations over what the feeds have landed."""

from __future__ import annotations

import dagster as dg

from pipelines.build_run import BuildRun
from pipelines.lake.envelopes import replace_envelopes
from pipelines.lake.manifest import load_manifest
from pipelines.lake.writer import append_changes
from pipelines.quality.findings import Finding
from pipelines.quality.landed import check_landed

CHANGE_LOG = dg.AssetKey(["lake", "change_log"])
ENVELOPES = dg.AssetKey(["lake", "envelopes"])
RECORD = dg.AssetKey(["record"])


@dg.asset(key=CHANGE_LOG, deps=[RECORD], group_name="lake", kinds={"parquet"})
def change_log(run: dg.ResourceParam[BuildRun]) -> dg.MaterializeResult[None]:
    """Append the record's sealed changes to the Parquet files of the lake."""
    before = load_manifest(run.settings.lake_dir).last_seq
    with run.stage("lake") as stage:
        manifest = append_changes(run.database, run.settings.lake_dir, stage.progress)
        stage.rows = manifest.last_seq - before
    return dg.MaterializeResult(metadata={"changes": stage.rows, "last_seq": manifest.last_seq})


@dg.asset(key=ENVELOPES, deps=[CHANGE_LOG], group_name="lake", kinds={"parquet"})
def envelopes(run: dg.ResourceParam[BuildRun]) -> dg.MaterializeResult[None]:
    """Write crosswalk, messages and rejects anew, without a body."""
    with run.stage("envelopes") as stage, run.database.begin() as unit:
        manifest = replace_envelopes(unit.driver, run.settings.lake_dir)
        rows = {file.table: file.rows for file in manifest.files if not file.last_seq}
        stage.rows = sum(rows.values())
    return dg.MaterializeResult(metadata=dict(rows))


@dg.asset_check(asset=ENVELOPES, blocking=True, description="Great Expectations over what each feed has landed.")
def landed(run: dg.ResourceParam[BuildRun]) -> dg.AssetCheckResult:
    """Judge what has landed since the published snapshot."""
    with run.stage("quality") as stage:
        after = run.current.last_seq if run.current else 0
        lake = run.settings.lake_dir
        findings = list(check_landed(lake, load_manifest(lake), after))
        stage.rows = sum(finding.checked or 0 for finding in findings)
    run.findings.extend(findings)
    refused = [finding for finding in findings if finding.refuses]
    run.failures.extend(
        f"the quality gate refuses the feed {each.subject}: not every record {each.check}" for each in refused
    )
    return dg.AssetCheckResult(passed=not refused, metadata=_said(findings))


def _said(findings: list[Finding]) -> dict[str, bool]:
    return {f"{finding.subject}: {finding.check}": finding.passed for finding in findings}
