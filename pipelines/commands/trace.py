"""`wholechart trace`: from a mart's row to its resources to the bytes of the messages that said so."""

from __future__ import annotations

import json
from pathlib import Path

import click

from pipelines.commands.options import as_json, data_dir


@click.command(epilog="Example: wholechart trace encounters 0e613c2d-74da-577e-9323-6252e9c9699f")
@click.argument("mart")
@click.argument("key")
@data_dir
@as_json
def trace(mart: str, key: str, folder: Path | None, as_json: bool) -> None:
    """Walk from a mart's row to its resources to the bytes that said so.

    KEY is the value of the mart's first column. What is shown are patients' data; the look is audited.
    """
    from pipelines.installation import open_installation, settings_for
    from pipelines.operator import audit_look
    from pipelines.trace import trace as walk

    settings = settings_for(folder)
    with open_installation(settings) as installation:
        found = walk(installation.database, settings, mart, key)
        audit_look(installation, "mart.trace", {"mart": mart, "key": key})
    if as_json:
        click.echo(json.dumps(found.as_json()))
    else:
        click.echo("\n".join(found.lines()))
