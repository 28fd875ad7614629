"""`wholechart build`: lake, views, marts, quality and the published warehouse, as far as something changed."""

from __future__ import annotations

import json
from pathlib import Path

import click

from pipelines.commands.options import as_json, data_dir


@click.command(epilog="Example: wholechart build")
@data_dir
@click.option("--full", is_flag=True, help="Make everything anew, not only what has changed.")
@click.option("--quiet", is_flag=True, help="Say nothing unless it fails.")
@as_json
def build(folder: Path | None, full: bool, quiet: bool, as_json: bool) -> None:
    """Bring lake, views, marts and the published warehouse up to date."""
    from pipelines.build import build as run
    from pipelines.commands.progress import steps
    from pipelines.installation import settings_for

    with steps("building", quiet=quiet or as_json) as say:
        report = run(settings_for(folder), on_progress=lambda stage, rows: say(f"{stage}: {rows:,} rows"), whole=full)
    if as_json:
        click.echo(
            json.dumps(
                {
                    "snapshot": report.snapshot.path.name,
                    "is_new": report.is_new,
                    "is_whole": report.is_whole,
                    "stages": [{"name": s.name, "rows": s.rows, "seconds": round(s.seconds, 2)} for s in report.stages],
                    "seconds": round(report.seconds, 2),
                }
            )
        )
    elif not quiet and not report.is_new:
        click.echo(f"nothing has changed; {report.snapshot.path.name} stays published")
    elif not quiet:
        for stage in report.stages:
            click.echo(f"{stage.name:12} {stage.rows:>10,} rows  {stage.seconds:6.1f} s")
        made = "made whole" if report.is_whole else "what changed made anew"
        click.echo(f"published {report.snapshot.path.name}, {made}, in {report.seconds:.1f} s")
