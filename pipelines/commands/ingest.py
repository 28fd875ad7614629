"""`wholechart ingest`: files or folders of any supported format into the record."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.commands.options import as_json, data_dir

if TYPE_CHECKING:
    from pipelines.accounting import IngestReport

_SHOWN = 20
"""Rejects printed for a person; all of them are in `--json` and in `wholechart messages list --state rejected`."""


@click.command(epilog="Example: wholechart ingest claims/ adt.hl7 --feed family-practice")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option("--feed", help="The feed these files belong to, by the name of its file in the feeds folder.")
@data_dir
@as_json
def ingest(paths: tuple[Path, ...], feed: str | None, folder: Path | None, as_json: bool) -> int:
    """Take files or folders of any supported format into the record."""
    from pipelines.accounting import account, apply_all
    from pipelines.commands.progress import bar
    from pipelines.installation import open_installation, settings_for
    from pipelines.intake import Intake, feed_for

    with open_installation(settings_for(folder)) as installation:
        started = time.monotonic()
        intake = Intake(installation, feed_for(installation, feed))
        with bar("storing", quiet=as_json) as advance:
            for _ in intake.take(paths):
                advance(1)
        with bar("applying", intake.tally.records, quiet=as_json) as advance:
            apply_all(installation, intake, advance)
        report = account(installation, intake, time.monotonic() - started)
    if as_json:
        click.echo(json.dumps({**asdict(report), "rejects": [reject._asdict() for reject in report.rejects]}))
    else:
        _print(report)
    return 1 if report.rejected else 0


def _print(report: IngestReport) -> None:
    click.echo(
        f"{report.records:,} records in {report.files:,} files: {report.processed:,} processed,"
        f" {report.duplicates:,} duplicates, {report.filtered:,} filtered, {report.rejected:,} rejected."
        f"\n{report.resources:,} resources said, {report.changed:,} versions written, in {report.seconds} s."
    )
    if report.warnings:
        click.echo(f"{report.warnings:,} warnings about records that were taken; `wholechart messages show` has them.")
    for name, reason in report.skipped:
        click.echo(f"skipped   {name}: {reason}", err=True)
    for reject in report.rejects[:_SHOWN]:
        click.secho(f"rejected  {reject.input}, record {reject.position}: {reject.reason}", fg="red", err=True)
    if len(report.rejects) > _SHOWN:
        click.echo(f"... and {len(report.rejects) - _SHOWN} more; see --json", err=True)
