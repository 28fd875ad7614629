"""`wholechart doctor`: what on this machine is missing or wrong, and how to mend it."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

import click

from pipelines.commands.options import as_json, data_dir

if TYPE_CHECKING:
    from hub_core.settings import Settings

Health: TypeAlias = Literal["ok", "warning", "fault"]

_MARKS = {"ok": ("ok", "green"), "warning": ("!", "yellow"), "fault": ("x", "red")}


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at."""

    subject: str
    health: Health
    finding: str


@click.command(epilog="Example: wholechart doctor --dir /srv/wholechart")
@data_dir
@as_json
def doctor(folder: Path | None, as_json: bool) -> int:
    """Look for what is missing or wrong on this machine, and say how to mend it."""
    from pipelines.installation import settings_for

    checks = list(_checks(settings_for(folder)))
    if as_json:
        click.echo(json.dumps([asdict(check) for check in checks]))
    else:
        for check in checks:
            mark, colour = _MARKS[check.health]
            click.echo(f"{click.style(mark.rjust(2), fg=colour)}  {check.subject:16} {check.finding}")
    return 1 if any(check.health == "fault" for check in checks) else 0


def _checks(settings: Settings) -> Iterator[Check]:
    yield _python()
    yield _disk(settings.data_dir)
    yield _private(settings.data_dir)
    yield _volume(settings.data_dir)
    yield from _database(settings)
    yield from _feeds(settings)
    yield _exposure(settings)


def _python() -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    return Check("python", "ok" if sys.version_info >= (3, 11) else "fault", f"{version} (3.11 or newer is needed)")


def _disk(folder: Path) -> Check:
    existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
    free = shutil.disk_usage(existing).free
    health: Health = "ok" if free > 5 * 2**30 else "warning" if free > 2**30 else "fault"
    return Check("disk", health, f"{free / 2**30:.1f} GiB free for {folder} (5 GiB or more is comfortable)")


def _private(folder: Path) -> Check:
    if not folder.exists():
        return Check("data directory", "ok", f"{folder} will be made on first use")
    if not os.access(folder, os.W_OK):
        return Check("data directory", "fault", f"{folder} is not writable for this user; chown it, or use --dir")
    if folder.stat().st_mode & 0o077:
        return Check("data directory", "warning", f"others may look into {folder}; chmod 700 it")
    return Check("data directory", "ok", f"{folder} belongs to this user alone")


def _volume(folder: Path) -> Check:
    """Say whether the data lies on an encrypted volume, as far as the kernel tells (dm-crypt on Linux)."""
    device = _device(folder)
    if device is None:
        return Check("encryption", "warning", "cannot tell whether the volume is encrypted; it must be")
    kind = Path("/sys/class/block") / device / "dm" / "uuid"
    if kind.exists() and kind.read_text(encoding="ascii").startswith("CRYPT-"):
        return Check("encryption", "ok", "the data directory lies on an encrypted volume")
    return Check("encryption", "warning", "the volume does not look encrypted; put real patients' data on one that is")


def _device(folder: Path) -> str | None:
    existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
    number = existing.stat().st_dev
    link = Path(f"/sys/dev/block/{os.major(number)}:{os.minor(number)}")
    return link.resolve().name if link.exists() else None


def _database(settings: Settings) -> Iterator[Check]:
    from hub_core.errors import WholechartError
    from pipelines.installation import open_installation

    try:
        with open_installation(settings) as installation, installation.database.begin() as unit:
            row = unit.driver.execute("SELECT version(), current_setting('fsync')").fetchone() or ("", "")
            where = "elsewhere" if settings.database_url else "embedded"
            yield Check("database", "ok", f"{str(row[0]).split(' on ')[0]}, {where}")
            if row[1] != "on":
                yield Check("durability", "fault", "fsync is off: acknowledged messages can be lost; turn it on")
    except WholechartError as error:
        yield Check("database", "fault", str(error))


def _feeds(settings: Settings) -> Iterator[Check]:
    from hub_core.errors import ConfigurationError
    from hub_core.feeds import load_feeds

    try:
        feeds = load_feeds(settings.feeds)
    except ConfigurationError as error:
        yield Check("feeds", "fault", str(error))
        return
    yield Check("feeds", "ok", f"{len(feeds)} feed files in {settings.feeds}")


def _exposure(settings: Settings) -> Check:
    if settings.host in ("127.0.0.1", "localhost", "::1"):
        return Check("network", "ok", f"listens on {settings.host} only")
    return Check("network", "warning", f"listens on {settings.host} without TLS; put a TLS proxy before it")
