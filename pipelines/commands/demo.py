"""`wholechart demo`: a small medical group through the whole house, and what came out."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.commands.options import as_json, data_dir

_QUESTION = "SELECT location, count(*) AS visits FROM marts.encounters GROUP BY ALL ORDER BY ALL"

if TYPE_CHECKING:
    from hub_core.settings import Settings
    from pipelines.demo.report import DemoReport


@click.command(epilog="Example: wholechart demo --dir /tmp/riverbend")
@data_dir
@as_json
def demo(folder: Path | None, as_json: bool) -> int:
    """Make a small medical group, run its feeds through the whole house, and show what came out."""
    from pipelines.commands.progress import steps
    from pipelines.demo.run import PeakMemory, run
    from pipelines.installation import administrator, open_installation, settings_for

    settings = settings_for(folder)
    started = time.monotonic()
    with (
        steps("starting the database", quiet=as_json) as say,
        PeakMemory() as memory,
        open_installation(settings) as house,
    ):
        made = run(house, say)
        name, password = administrator(house)
    seconds = round(time.monotonic() - started, 1)
    if as_json:
        body = {**asdict(made), "seconds": seconds, "peak_mb": round(memory.megabytes), "dir": str(settings.data_dir)}
        click.echo(json.dumps(body))
    else:
        _print(made, seconds, memory.megabytes)
        _print_next(settings, made, name, password, folder)
    return 0


def _print(made: DemoReport, seconds: float, megabytes: float) -> None:
    from pipelines.commands.printing import print_table

    click.secho("\nRiverbend Medical Group (nobody in it exists)\n", bold=True)
    names = ["feed", "format", "records", "processed", "filtered", "rejected", "versions written"]
    print_table(names, [tuple(asdict(line).values()) for line in made.feeds], as_json=False)
    marts = ", ".join(f"{count} {mart.replace('_', ' ')}" for mart, count in made.marts.items())
    click.echo(
        f"\n{made.resources:,} resources of {made.patient_records} patient records, who are {made.persons} persons."
        f"\nMarts: {marts}."
        f"\nBilled {made.billed}, paid {made.paid}."
        f"\nDone in {seconds} s, at most {megabytes:,.0f} MB in all processes."
    )


def _print_next(settings: Settings, made: DemoReport, name: str, password: str, folder: Path | None) -> None:
    where = f" --dir {folder}" if folder else ""
    command = _command()
    click.secho("\nOpen it", bold=True)
    click.echo(f"  {command} up{where}")
    click.echo(f"  {settings.dashboards_url}  (log in as {name} with {password})")
    click.secho("\nThree things to try", bold=True)
    click.echo("  1. In the dashboards, open Patient and look up Maria Delgado: one chart from three systems.")
    click.echo(f'  2. {command} sql{where} "{_QUESTION}"')
    if made.example_key:
        click.echo(f"  3. {command} trace{where} lab_results {made.example_key}")
    click.echo(f"\nTwo records were rejected on purpose: {command} messages list{where} --state rejected")


def _command() -> str:
    """Return how this person can call `wholechart`: by name when it is on the PATH, else by where it lies."""
    if shutil.which("wholechart"):
        return "wholechart"
    script = Path(sys.argv[0])
    return os.path.relpath(script) if script.name == "wholechart" else f"{sys.executable} -m pipelines"
