"""`wholechart up`: everything running, with its addresses and the log-in, until Ctrl-C."""

from __future__ import annotations

import signal
import threading
import time
from pathlib import Path

import click

from pipelines.commands.options import data_dir


@click.command(epilog="Example: wholechart up --no-dagster")
@data_dir
@click.option("--no-dagster", is_flag=True, help="Leave Dagster's pages out; everything else works without them.")
def up(folder: Path | None, no_dagster: bool) -> None:
    """Run everything: database, worker, listeners, API, dashboards."""
    from hub_core.feeds import load_feeds
    from pipelines.installation import administrator, open_installation, settings_for
    from pipelines.services import House, refuse_taken_ports, services

    settings = settings_for(folder)
    house = services(settings, dagster=not no_dagster)
    refuse_taken_ports(settings.host, house, load_feeds(settings.feeds).values())
    stop = threading.Event()
    for which in (signal.SIGINT, signal.SIGTERM):
        signal.signal(which, lambda *_: stop.set())
    with open_installation(settings) as installation:
        name, secret = administrator(installation)
        running = threading.Thread(target=House(settings, house, click.echo).run, args=(stop,))
        running.start()
        _announce(name, secret, [(service.name, service.port, service.url) for service in house], stop)
        while running.is_alive():
            running.join(0.5)
    click.echo("stopped")


def _announce(name: str, secret: str, house: list[tuple[str, int | None, str | None]], stop: threading.Event) -> None:
    """Print each address once it answers."""
    click.echo("Starting; Ctrl-C stops everything.")
    for service, port, url in house:
        if port is not None and _answers(port, stop):
            click.echo(f"  {service:12} {url}")
    click.echo(f"  log-in       {name} / {secret}")


def _answers(port: int, stop: threading.Event) -> bool:
    import socket

    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not stop.is_set():
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            stop.wait(0.2)
        else:
            return True
    return False
