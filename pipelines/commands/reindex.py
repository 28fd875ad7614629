"""`wholechart reindex`: write the search index of stored resources anew."""

from __future__ import annotations

from pathlib import Path

import click

from pipelines.commands.options import data_dir


@click.command(epilog="Example: wholechart reindex --type Observation")
@click.option("--type", "kinds", multiple=True, metavar="TYPE", help="A resource type to go through in any case.")
@data_dir
def reindex(kinds: tuple[str, ...], folder: Path | None) -> None:
    """Index what is stored as today's version does; a running house does it by itself after an upgrade."""
    from pipelines.installation import open_installation, settings_for
    from pipelines.reindexing import reindex as write

    with open_installation(settings_for(folder)) as installation:
        done = sum(write(installation.database, kinds))
    click.echo(f"{done:,} resources gone through")
