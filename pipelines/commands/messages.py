"""`wholechart messages`: search the message store, look into it, and run messages again."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import click

from hub_core.errors import NotFoundError
from pipelines.commands.options import as_json, data_dir


@click.group(epilog="Example: wholechart messages list --state rejected --feed family-adt")
def messages() -> None:
    """Search the message store, look into it, and run messages again."""


@messages.command("list")
@click.option("--feed", help="Only this feed.")
@click.option(
    "--state",
    type=click.Choice(["received", "processed", "filtered", "rejected"]),
    help="Only this state; rejected: also messages of which some records were.",
)
@click.option("--control-id", help="Only the message with this id of its sender (MSH-10, ISA13).")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000))
@data_dir
@as_json
def list_(
    feed: str | None, state: str | None, control_id: str | None, limit: int, folder: Path | None, as_json: bool
) -> None:
    """List messages, newest first."""
    from pipelines.commands.printing import print_table
    from pipelines.installation import open_installation, settings_for

    with open_installation(settings_for(folder)) as installation, installation.database.begin() as unit:
        cursor = unit.driver.execute(
            "SELECT message_id, received_at, feed, kind, control_id, state, records, processed, filtered, rejected"
            " FROM message WHERE (%(feed)s::text IS NULL OR feed = %(feed)s)"
            " AND (%(state)s::text IS NULL OR state = %(state)s OR (%(state)s = 'rejected' AND rejected > 0))"
            " AND (%(control_id)s::text IS NULL OR control_id = %(control_id)s)"
            " ORDER BY arrival DESC LIMIT %(limit)s",
            {"feed": feed, "state": state, "control_id": control_id, "limit": limit},
        )
        print_table([column.name for column in cursor.description or ()], cursor.fetchall(), as_json=as_json)


@messages.command()
@click.argument("message_id", type=click.UUID)
@click.option("--raw", is_flag=True, help="Write the bytes exactly as they arrived, and nothing else.")
@data_dir
def show(message_id: UUID, raw: bool, folder: Path | None) -> None:
    """Show one message: its envelope, what it became, why it was rejected, and its bytes. The look is audited."""
    from pipelines.commands.printing import print_table
    from pipelines.installation import open_installation, settings_for
    from pipelines.operator import audit_look

    with open_installation(settings_for(folder)) as installation, installation.database.begin() as unit:
        cursor = unit.driver.execute(
            "SELECT feed, source, format, kind, control_id, input, position, state, sent_at, received_at, processed_at,"
            " repeats, records, processed, filtered, rejected, resources, mapping_version, shelf"
            " FROM message WHERE message_id = %s",
            (message_id,),
        )
        row = cursor.fetchone()
        if row is None:
            raise NotFoundError(f"there is no message {message_id}")
        body = installation.store.body(unit.driver, message_id, row[-1])
        audit_look(installation, "message.read", {"message_id": str(message_id)})
        if raw:
            click.echo(body, nl=False)
            return
        names = [column.name for column in cursor.description or ()]
        for name, value in zip(names[:-1], row[:-1], strict=True):
            click.echo(f"{name:16} {'' if value is None else value}")
        findings = unit.driver.execute(
            "SELECT position, severity, location, reason FROM reject WHERE message_id = %s ORDER BY position",
            (message_id,),
        ).fetchall()
        if findings:
            click.echo()
            print_table(["position", "severity", "location", "reason"], findings, as_json=False)
        click.echo()
        click.echo(body[:4000].decode("utf-8", "replace").replace("\r", "\n"))


@messages.command()
@click.argument("message_ids", nargs=-1, type=click.UUID)
@click.option("--rejected", is_flag=True, help="Every rejected message (of --feed, if given).")
@click.option("--feed", help="With --rejected: only this feed.")
@data_dir
def replay(message_ids: tuple[UUID, ...], rejected: bool, feed: str | None, folder: Path | None) -> None:
    """Read messages again from their kept bytes; what is right already does not change."""
    from hub_core.messages import queue
    from pipelines.installation import open_installation, settings_for

    with open_installation(settings_for(folder)) as installation:
        with installation.database.begin() as unit:
            wanted = list(message_ids)
            if rejected:
                rows = unit.driver.execute(
                    "SELECT message_id FROM message WHERE rejected > 0 AND (%(feed)s::text IS NULL OR feed = %(feed)s)",
                    {"feed": feed},
                ).fetchall()
                wanted += [row[0] for row in rows]
            count = queue.replay(unit.driver, wanted)
        for _ in installation.worker().drain():
            pass
    click.echo(f"{count} messages read again")
