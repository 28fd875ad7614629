"""`wholechart audit`: is the audit trail whole, who has seen a patient, what has somebody done."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import click

from pipelines.commands.options import as_json, data_dir

if TYPE_CHECKING:
    from hub_core.auditing.questions import Seen

_COLUMNS = ("recorded_at", "principal", "action", "resource_type", "resource_id", "outcome", "purpose", "location")
_limit = click.option("--limit", default=100, show_default=True, help="How many events, the newest first.")


@click.group()
def audit() -> None:
    """Verify the audit trail, and ask it."""


@audit.command(epilog="Example: wholechart audit verify")
@as_json
@data_dir
def verify(as_json: bool, folder: Path | None) -> int:
    """Look whether events were changed, taken out or put in, and whether the trail was cut off."""
    import json
    from dataclasses import asdict

    from pipelines.auditor import check
    from pipelines.installation import open_installation, settings_for

    with open_installation(settings_for(folder)) as installation:
        found = check(installation)
    if as_json:
        click.echo(json.dumps(asdict(found)))
    else:
        for finding in found.findings:
            click.echo(f"{finding.fault}: {finding.shard} {finding.number}: {finding.text}")
        click.echo(f"{found.events:,} events in {found.chains} chains: {'intact' if found.is_intact else 'NOT intact'}")
    return 0 if found.is_intact else 1


@audit.command(epilog="Example: wholechart audit seen 0199f3c2-7a54-7c11-9a33-5b1f0c2d3e4f")
@click.argument("person", type=click.UUID)
@_limit
@as_json
@data_dir
def seen(person: UUID, limit: int, as_json: bool, folder: Path | None) -> None:
    """Show who has seen the records of a person (or of one patient record)."""
    from ehr_pm.record import queries
    from hub_core.auditing.questions import about_patients
    from hub_core.clock import now
    from pipelines.installation import open_installation, settings_for

    with open_installation(settings_for(folder)) as installation, installation.database.begin() as unit:
        patients = [each.patient_id for each in queries.members(unit.driver, [person])] or [person]
        _print(about_patients(unit.driver, patients, before=now(), limit=limit), as_json=as_json)


@audit.command(epilog="Example: wholechart audit by admin")
@click.argument("name")
@_limit
@as_json
@data_dir
def by(name: str, limit: int, as_json: bool, folder: Path | None) -> None:
    """Show what somebody has done."""
    from hub_core.auditing.questions import by_principal
    from hub_core.clock import now
    from hub_core.errors import NotFoundError
    from pipelines.installation import open_installation, settings_for

    with open_installation(settings_for(folder)) as installation, installation.database.begin() as unit:
        row = unit.driver.execute(
            "SELECT principal_id FROM principal WHERE lower(name) = lower(%s)", (name,)
        ).fetchone()
        if row is None:
            raise NotFoundError("there is nobody of this name")
        _print(by_principal(unit.driver, row[0], before=now(), limit=limit), as_json=as_json)


def _print(events: Iterable[Seen], *, as_json: bool) -> None:
    from pipelines.commands.printing import print_table

    print_table(_COLUMNS, [tuple(getattr(event, name) for name in _COLUMNS) for event in events], as_json=as_json)
