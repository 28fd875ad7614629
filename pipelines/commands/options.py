"""Options that several verbs share."""

from __future__ import annotations

from pathlib import Path

import click

data_dir = click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="The data directory (default: WHOLECHART_DATA_DIR, else the user's data folder).",
)

as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object, for programs.")
