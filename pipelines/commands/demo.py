"""`wholechart demo`: a simulated medical group through the whole house, and its truth beside the warehouse."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines.commands.options import as_json, data_dir

if TYPE_CHECKING:
    from hub_core.settings import Settings
    from pipelines.commands.progress import Say
    from pipelines.demo.comparison import Line, Outcome, Value
    from pipelines.demo.report import DemoReport
    from pipelines.demo.stages import Cost
    from pipelines.installation import Installation

_MOST_LINES = 20
"""Unequal rows of one check that are shown to a person; `--json` has them all."""


@dataclass(frozen=True, slots=True)
class _Took:
    """What the run took."""

    seconds: float
    megabytes: float
    stages: dict[str, Cost]


@click.command(epilog="Example: wholechart demo --people 200 --seed 7 --dir /tmp/riverbend")
@click.option("--people", type=click.IntRange(1, 1_000_000), default=1000, show_default=True, help="How many people.")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Another seed is another group.")
@data_dir
@as_json
@click.option("--live", "is_live", is_flag=True, help="Then send messages one by one and watch the chart.")
def demo(people: int, seed: int, folder: Path | None, as_json: bool, is_live: bool) -> int:
    """Simulate a medical group, run its feeds through the whole house, and put its truth beside the warehouse."""
    from pipelines.commands.progress import steps
    from pipelines.demo.footprint import Footprint
    from pipelines.demo.run import run
    from pipelines.demo.scenario import Scenario
    from pipelines.demo.stages import Stages
    from pipelines.installation import administrator, open_installation, settings_for

    settings, scenario, started = settings_for(folder), Scenario(people, seed), time.monotonic()
    with (
        Footprint() as footprint,
        steps("starting the database", quiet=as_json) as say,
        open_installation(settings) as installation,
    ):
        footprint.watch_database(installation.database)
        stages = Stages(footprint)
        made = run(installation, scenario, say, stages)
        login = administrator(installation)
        took = _Took(round(time.monotonic() - started, 1), footprint.megabytes, stages.costs)
        if not as_json:
            _print(made, took)
        seen = list(_live(installation, say, quiet=as_json)) if is_live else []
    if as_json:
        click.echo(json.dumps({**_body(made, took, settings), **({"live": seen} if is_live else {})}, default=str))
    else:
        where = f" --dir {folder}" if folder else ""
        group = "" if scenario == Scenario() else f" --people {people} --seed {seed}"
        _print_next(settings, made, login, where, group)
    return 0 if made.comparison.equal else 1


def _live(installation: Installation, say: Say, *, quiet: bool) -> Iterator[dict[str, Any]]:
    from pipelines.demo.live import follow

    if not quiet:
        click.secho("\nLive: one message after the other, from sending it until the chart shows it\n", bold=True)
    for sight in follow(installation, say):
        if not quiet:
            click.echo(f"  {sight.message:8} {sight.feed:28} {sight.milliseconds:6,.0f} ms  {sight.shown}")
        yield asdict(sight)


def _body(made: DemoReport, took: _Took, settings: Settings) -> dict[str, Any]:
    """Return what `--json` prints."""
    return {
        "checks": [
            {
                "name": outcome.name,
                "truth": outcome.truth,
                "warehouse": outcome.warehouse,
                "equal": outcome.equal,
                "rows": len(outcome.lines),
                "unequal": [asdict(line) for line in outcome.unequal],
            }
            for outcome in made.comparison.outcomes
        ],
        "identity": asdict(made.comparison.identity),
        "seconds": took.seconds,
        "peak_mb": round(took.megabytes),
        "dir": str(settings.data_dir),
        "stages": {name: asdict(cost) for name, cost in took.stages.items()},
        "feeds": [asdict(line) for line in made.feeds],
        "messages": made.messages,
        "resources": made.resources,
        "patient_records": made.patient_records,
        "persons": made.persons,
        "marts": made.marts,
    }


def _print(made: DemoReport, took: _Took) -> None:
    from pipelines.commands.printing import print_table

    click.secho("\nRiverbend Medical Group (nobody in it exists)\n", bold=True)
    names = ["feed", "format", "records", "processed", "filtered", "rejected", "repeated", "versions written"]
    print_table(names, [tuple(asdict(line).values()) for line in made.feeds], as_json=False)
    click.secho("\nThe truth beside the warehouse\n", bold=True)
    rows = [row for outcome in made.comparison.outcomes for row in _rows(outcome)]
    print_table(["", "truth", "warehouse", ""], rows, as_json=False, right=(1, 2))
    outcomes, identity = made.comparison.outcomes, made.comparison.identity
    equal = sum(outcome.equal for outcome in outcomes)
    click.echo(
        f"\n{equal} of {len(outcomes)} checks equal, over {sum(len(outcome.lines) for outcome in outcomes):,} rows."
        f"\nPersons by equal identifiers: precision {identity.precision:.4f}, recall {identity.recall:.4f}."
        f"\n{made.messages:,} messages, {made.resources:,} resources of {made.patient_records:,} patient records,"
        f" held to be {made.persons:,} persons."
        f"\nDone in {took.seconds} s ({', '.join(f'{name} {cost.seconds} s' for name, cost in took.stages.items())}),"
        f" at most {took.megabytes:,.0f} MB in all processes."
    )


def _rows(outcome: Outcome) -> Iterator[tuple[str, str, str, str]]:
    """Yield one row for an equal check, and below an unequal one the rows on which the sides differ."""
    count = len(outcome.lines)
    name = f"{outcome.name} ({count:,} row{'s' if count != 1 else ''})"
    yield name, _amount(outcome.truth), _amount(outcome.warehouse), "equal" if outcome.equal else "NOT EQUAL"
    for line in outcome.unequal[:_MOST_LINES]:
        yield _of(line), _amount(line.truth), _amount(line.warehouse), ""
    more = len(outcome.unequal) - _MOST_LINES
    if more > 0:
        yield f"    and {more:,} more", "", "", ""


def _of(line: Line) -> str:
    return "    " + ", ".join(line.key)


def _amount(value: Value) -> str:
    if value is None:
        return "-"
    return value if isinstance(value, str) else f"{value:,}"


def _print_next(settings: Settings, made: DemoReport, login: tuple[str, str], where: str, group: str) -> None:
    """Say what to open and to try, with the options that name this installation and this group."""
    command = _command()
    click.secho("\nOpen it", bold=True)
    click.echo(f"  {command} up{where}")
    click.echo(f"  {settings.dashboards_url}  (log in as {login[0]} with {login[1]})")
    click.secho("\nThree things to try", bold=True)
    click.echo(f"  1. In the dashboards, open Patient and look up {made.example_person}, known at several locations.")
    click.echo(f"  2. {command} demo{group}{where} --live")
    if made.example_key:
        click.echo(f"  3. {command} trace{where} denials {made.example_key}")


def _command() -> str:
    """Return how this person can call `wholechart`: by name when it is on the PATH, else by where it lies."""
    if shutil.which("wholechart"):
        return "wholechart"
    script = Path(sys.argv[0])
    return os.path.relpath(script) if script.name == "wholechart" else f"{sys.executable} -m pipelines"
