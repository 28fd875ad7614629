"""`wholechart convert`: any supported format to FHIR R4, without a database."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from connectors.connector import Outcome
    from connectors.transport.files import Found
    from hub_core.fhir.canonical import Json


@click.command(epilog="Example: wholechart convert adt.hl7 claims.837 --out fhir/")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Write one file per input here.")
@click.option("--source", default="files", show_default=True, help="The source that ids are scoped to.")
def convert(paths: tuple[Path, ...], out: Path | None, source: str) -> int:
    """Convert files of any supported format to FHIR R4, without a database.

    Without --out, one Bundle per message or transaction goes to standard output, a line each. With --out, each input
    becomes <name>.fhir.json, and <name>.issues.json says what was wrong with it.
    """
    from connectors.transport.files import FileRefusal, walk

    faults = 0
    written: set[Path] = set()
    for found in walk(paths):
        if isinstance(found, FileRefusal) and found.is_skipped:
            click.echo(f"skipped  {found.input}: {found.reason}", err=True)
            continue
        faults += _write_files(found, source, out, written) if out else _print_bundles(found, source)
    return 1 if faults else 0


def _print_bundles(found: Found, source: str) -> int:
    from hub_core.fhir.canonical import dumps
    from pipelines.inspection import outcomes

    faults = 0
    for outcome in outcomes(found, source):
        if outcome.state == "processed":
            click.echo(dumps(_bundle([outcome])))
            continue
        faults += outcome.state == "rejected"
        reasons = "; ".join(f"{issue.location}: {issue.text}".removeprefix(": ") for issue in outcome.issues)
        click.echo(f"{outcome.state}  {found.input}, record {outcome.position}: {reasons}", err=True)
    return faults


def _free_name(out: Path, name: str, written: set[Path]) -> str:
    """Return the name, numbered when another input of this run has it: none overwrites another."""
    number, free = 1, name
    while out / free in written:
        number += 1
        free = f"{number}-{name}"
    written.add(out / free)
    return free


def _write_files(found: Found, source: str, out: Path, written: set[Path]) -> int:
    from hub_core.fhir.canonical import dumps
    from pipelines.inspection import operation_outcome, outcomes

    made = list(outcomes(found, source))
    out.mkdir(parents=True, exist_ok=True)
    name = _free_name(out, Path(found.input).name, written)
    if any(outcome.state == "processed" for outcome in made):
        (out / f"{name}.fhir.json").write_bytes(dumps(_bundle(made), indent=True))
    issues = [issue for outcome in made for issue in outcome.issues]
    if issues:
        (out / f"{name}.issues.json").write_bytes(dumps(operation_outcome(issues), indent=True))
    return sum(outcome.state == "rejected" for outcome in made)


def _bundle(made: Iterable[Outcome]) -> Json:
    """Return a collection Bundle of what records say; a resource said twice in it stands once, as last said."""
    resources = {(f.resource["resourceType"], f.resource["id"]): f.resource for o in made for f in o.facts}
    entries = [{"fullUrl": f"urn:uuid:{r['id']}", "resource": r} for r in resources.values()]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}
