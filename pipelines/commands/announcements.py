"""`wholechart announcements`: what a partner would not take, and sending it again."""

from __future__ import annotations

from pathlib import Path

import click

from pipelines.commands.options import as_json, data_dir

_COLUMNS = ("event_id", "kind", "recorded_at", "attempts", "problem")


@click.group()
def announcements() -> None:
    """Look at what a partner would not take, and send it again."""


@announcements.command("list", epilog="Example: wholechart announcements list")
@as_json
@data_dir
def list_put_aside(as_json: bool, folder: Path | None) -> None:
    """Show the events that were put aside, the oldest first."""
    from pipelines.announcing import put_aside
    from pipelines.commands.printing import print_table
    from pipelines.installation import open_installation, settings_for

    with open_installation(settings_for(folder)) as installation, installation.database.begin() as unit:
        print_table(_COLUMNS, put_aside(unit.driver), as_json=as_json)


@announcements.command(epilog="Example: wholechart announcements retry")
@data_dir
def retry(folder: Path | None) -> None:
    """Let everything that was put aside be sent again."""
    from hub_core.clock import now
    from pipelines.announcing import try_again
    from pipelines.installation import open_installation, settings_for

    with open_installation(settings_for(folder)) as installation, installation.database.begin() as unit:
        click.echo(f"{try_again(unit.driver, now()):,} events will be sent again")
