"""`wholechart status`: what runs, how far each feed is, and what is stuck."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import click

from pipelines.commands.options import as_json, data_dir

_FEEDS = """
SELECT feed, count(*) AS messages, sum(records) AS records, sum(processed) AS processed, sum(filtered) AS filtered,
       sum(rejected) AS rejected, count(*) FILTER (WHERE state = 'received') AS waiting,
       max(received_at) AS last_received,
       coalesce(extract(epoch FROM now() - min(received_at) FILTER (WHERE state = 'received')), 0)::int AS oldest_s
FROM message GROUP BY feed ORDER BY feed
"""


@click.command(epilog="Example: wholechart status --json")
@data_dir
@as_json
def status(folder: Path | None, as_json: bool) -> int:
    """Show what runs, how far each feed is, and what is stuck."""
    from pipelines.commands.printing import print_table
    from pipelines.installation import open_installation, settings_for
    from pipelines.services import services

    settings = settings_for(folder)
    running = {s.name: _answers(settings.host, s.port) for s in services(settings, dagster=True) if s.port}
    with open_installation(settings) as installation, installation.database.begin() as unit:
        cursor = unit.driver.execute(_FEEDS)
        names = [column.name for column in cursor.description or ()]
        feeds = cursor.fetchall()
        sealed = unit.driver.execute(
            "SELECT (SELECT next_seq - 1 FROM change_head), (SELECT coalesce(sum(size), 0) FROM change_batch"
            " WHERE first_seq IS NULL), (SELECT count(*) FROM resource), (SELECT count(*) FROM person"
            " WHERE merged_into IS NULL)"
        ).fetchone()
    record = dict(zip(("sealed", "unsealed", "resources", "persons"), sealed or (), strict=True))
    warehouse = _warehouse(settings.warehouse_dir)
    if as_json:
        rows = [dict(zip(names, row, strict=True)) for row in feeds]
        body = {"services": running, "feeds": rows, "record": record, "warehouse": warehouse}
        click.echo(json.dumps(body, default=str))
        return 0
    click.echo(f"data directory  {settings.data_dir}")
    click.echo("services        " + ", ".join(f"{name} {'up' if up else 'down'}" for name, up in running.items()))
    click.echo(f"record          {record['resources']:,} resources, {record['persons']:,} persons")
    click.echo(f"warehouse       {warehouse or 'not built yet: wholechart build'}")
    click.echo()
    print_table(names, feeds, as_json=False)
    stuck = [row for row in feeds if row[-1] > 60]
    for row in stuck:
        click.echo(f"\n{row[0]}: {row[6]} messages wait, the oldest for {row[-1]} s; is `wholechart up` running?")
    return 1 if stuck else 0


def _answers(host: str, port: int | None) -> bool:
    try:
        socket.create_connection((host, port or 0), timeout=0.5).close()
    except OSError:
        return False
    return True


def _warehouse(folder: Path) -> Any:
    pointer = folder / "CURRENT"
    return pointer.read_text(encoding="utf-8").strip() if pointer.exists() else None
