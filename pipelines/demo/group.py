"""The fictional medical group: its feed files, put where an installation looks for feeds."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from hub_core.errors import ConflictError
from hub_core.feeds import Feed, load_feeds

if TYPE_CHECKING:
    from hub_core.settings import Settings
    from pipelines.installation import Installation

SAMPLES = Path(__file__).parents[1] / "samples"


def refuse_real_data(installation: Installation) -> None:
    """Make sure that fictional people do not end up among real ones.

    Raises:
        ConflictError: if the installation holds messages of other feeds.
    """
    with installation.database.begin() as unit:
        others = unit.driver.execute(
            "SELECT DISTINCT feed FROM message WHERE feed <> ALL(%s) LIMIT 1", (list(load_feeds(SAMPLES / "feeds")),)
        ).fetchall()
    if others:
        raise ConflictError(
            f"{installation.settings.data_dir} holds messages of other feeds ({others[0][0]}); the demo's people are"
            " not real and do not belong among them: choose another folder with --dir"
        )


def install_feeds(settings: Settings) -> dict[str, Feed]:
    """Copy the group's feed files to the installation, keeping those it has already, and return the feeds."""
    settings.feeds.mkdir(parents=True, exist_ok=True)
    for sample in sorted((SAMPLES / "feeds").glob("*.yml")):
        target = settings.feeds / sample.name
        if not target.exists():
            target.write_bytes(sample.read_bytes())
    return {name: feed for name, feed in load_feeds(settings.feeds).items() if (SAMPLES / name).is_dir()}


def on_free_ports(feeds: dict[str, Feed], folder: Path) -> dict[str, Feed]:
    """Write the feed files to `folder` with MLLP ports that are free now, so that a demo disturbs nothing running."""
    moved = {
        name: feed.model_copy(update={"port": free_port()}) if feed.transport == "mllp" else feed
        for name, feed in feeds.items()
    }
    for name, feed in moved.items():
        text = yaml.safe_dump(feed.model_dump(exclude_none=True), sort_keys=False)
        (folder / f"{name}.yml").write_text(text, encoding="utf-8")
    return moved


def free_port() -> int:
    """Return a port that nothing listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
