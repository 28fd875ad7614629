"""`wholechart check`: every issue of a file with its place, and the answer its sender would get."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.commands.options import as_json

if TYPE_CHECKING:
    from connectors.connector import Issue
    from connectors.transport.files import Found


@click.command(epilog="Example: wholechart check claims.837 --json")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option("--ack", is_flag=True, help="Print the answer an HL7 v2 sender would get, instead of the issues.")
@as_json
def check(paths: tuple[Path, ...], ack: bool, as_json: bool) -> int:
    """Validate files of any supported format: every issue with its place."""
    from connectors.transport.files import walk
    from hub_core.fhir.canonical import dumps
    from pipelines.inspection import FAULTS, issues, operation_outcome

    if ack:
        refused = sum(_print_answers(found) for found in walk(paths))
        return 1 if refused else 0
    checked: dict[str, list[Issue]] = {}
    for found in walk(paths):
        name = found.input if found.input not in checked else f"{found.input} ({len(checked) + 1})"
        checked[name] = list(issues(found))
    if as_json:
        click.echo(dumps({name: operation_outcome(listed) for name, listed in checked.items()}))
    else:
        for name, listed in checked.items():
            _print(name, listed)
    return 1 if any(issue.severity in FAULTS for listed in checked.values() for issue in listed) else 0


def _print(name: str, listed: list[Issue]) -> None:
    from pipelines.inspection import FAULTS

    if not listed:
        click.echo(f"{name}: no issues")
    for issue in listed:
        place = f" {issue.location}:" if issue.location else ""
        colour = "red" if issue.severity in FAULTS else "yellow"
        click.echo(f"{name}: {click.style(issue.severity, fg=colour)}:{place} {issue.text}")


def _print_answers(found: Found) -> bool:
    """Print the acknowledgement of each message, a segment a line, and say whether any was refused."""
    from pipelines.inspection import answers

    refused = False
    for answer, is_refusal in answers(found):
        click.echo(answer.replace(b"\r", b"\n"), nl=False)
        refused = refused or is_refusal
    return refused
