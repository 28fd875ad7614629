"""`wholechart references`: what resources refer to that has not arrived."""

from __future__ import annotations

from pathlib import Path

import click

from pipelines.commands.options import as_json, data_dir


@click.command(epilog="Example: wholechart references --source hospital")
@click.option("--source", help="Only what this source refers to.")
@data_dir
@as_json
def references(source: str | None, folder: Path | None, as_json: bool) -> int:
    """List references that lead nowhere, by source, type and element, each with a message that says one."""
    from dataclasses import astuple, fields

    from ehr_pm.record.loose_ends import LooseEnd, loose_ends
    from pipelines.commands.printing import print_table
    from pipelines.installation import open_installation, settings_for

    with open_installation(settings_for(folder)) as installation, installation.database.begin() as unit:
        found = [astuple(each) for each in loose_ends(unit.driver, source)]
    print_table([field.name for field in fields(LooseEnd)], found, as_json=as_json)
    return 1 if found else 0
