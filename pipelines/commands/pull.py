"""`wholechart pull`: fetch what a FHIR server exports or finds now, to its end."""

from __future__ import annotations

from pathlib import Path

import click

from pipelines.commands.options import as_json, data_dir


@click.command(epilog="Example: wholechart pull cardiology")
@click.argument("feed")
@as_json
@data_dir
def pull(feed: str, as_json: bool, folder: Path | None) -> int:
    """Ask the FHIR server of a feed for what is new, wait for it, and store it; what was broken off is continued."""
    import json
    import time

    from pipelines.installation import open_installation, settings_for
    from pipelines.intake import feed_for
    from pipelines.pulling import pull as fetch

    def tell(text: str) -> None:
        if not as_json:
            click.echo(text)

    with open_installation(settings_for(folder)) as installation:
        last = fetch(installation, feed_for(installation, feed), tell, time.sleep)
    if as_json:
        click.echo(json.dumps({"records": last.records, "refused": last.refused, "since": last.state.since}))
    else:
        click.echo(f"{last.records:,} records, {last.refused:,} refused; all up to {last.state.since} is here.")
    return 1 if last.refused else 0
