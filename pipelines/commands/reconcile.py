"""`wholechart reconcile`: do the practice's rows and the record say the same."""

from __future__ import annotations

from pathlib import Path

import click

from pipelines.commands.options import as_json, data_dir


@click.command(epilog="Example: wholechart reconcile")
@as_json
@data_dir
def reconcile(as_json: bool, folder: Path | None) -> int:
    """Project every row of the practice again, and list where the record says something else."""
    import json

    from hub_core.clock import now
    from pipelines.installation import open_installation, settings_for
    from pipelines.nightly import reconcile as compare

    with open_installation(settings_for(folder)) as installation:
        found = compare(installation.database, now())
    rows = [
        {"check": each.check_name, "type": each.subject_type, "id": str(each.subject_id), "location": each.location}
        for each in found.findings
    ]
    if as_json:
        click.echo(json.dumps({"compared": found.compared, "differences": rows}))
    else:
        for each in found.findings:
            click.echo(f"{each.subject_type}/{each.subject_id}: {each.words}")
        click.echo(f"{found.compared:,} rows compared: {len(rows):,} differences")
    return 1 if rows else 0
