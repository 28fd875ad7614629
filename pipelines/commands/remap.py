"""`wholechart remap`: make what feeds' messages became anew after a mapping changed."""

from __future__ import annotations

from pathlib import Path

import click

from pipelines.commands.options import as_json, data_dir


@click.command(epilog="Example: wholechart remap hospital-adt --dry-run")
@click.argument("feed", required=False)
@click.option("--dry-run", "is_dry", is_flag=True, help="Tell what would change, and change nothing.")
@as_json
@data_dir
def remap(feed: str | None, is_dry: bool, as_json: bool, folder: Path | None) -> None:
    """Read kept messages by today's mapping and change what differs: of every feed, or of one and its source."""
    import json
    import time
    from dataclasses import asdict

    from pipelines import remapping
    from pipelines.commands.printing import print_table
    from pipelines.installation import open_installation, settings_for

    def tell(text: str) -> None:
        if not as_json:
            click.echo(f"  {text}", err=True)

    with open_installation(settings_for(folder)) as installation:
        done = [
            remapping.remap(installation, source, is_dry=is_dry, tell=tell, wait=time.sleep)
            for source in remapping.sources(installation, feed)
        ]
    rows = [(each.source, kind, verdict, count) for each in done for (kind, verdict), count in each.differences.items()]
    if as_json:
        said = [{**asdict(each), "differences": [row[1:] for row in rows if row[0] == each.source]} for each in done]
        click.echo(json.dumps(said))
        return
    if rows:
        print_table(["source", "type", "verdict", "resources"], rows, as_json=False)
    messages, lost = sum(each.messages for each in done), sum(each.lost for each in done)
    click.echo(
        f"{messages:,} messages of an older mapping {'are there' if is_dry else 'read again'}; {lost:,} cannot be."
    )
