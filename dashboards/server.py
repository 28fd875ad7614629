"""The dashboards as a process: the command that starts Streamlit on this package's app, wherever it is installed."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from hub_core.settings import Settings

APP = Path(__file__).with_name("app.py")


def command(settings: Settings) -> list[str]:
    """Return the command that serves the dashboards of these settings.

    What protects patients is given here rather than in a file, because flags win over every configuration file.
    """
    options = {
        "server.address": settings.host,
        "server.port": settings.dashboards_port,
        "server.headless": True,
        "server.fileWatcherType": "none",
        "server.enableCORS": True,
        "server.enableXsrfProtection": True,
        "server.enableStaticServing": False,
        "server.enableAgentApi": False,
        "server.disconnectedSessionTTL": 60,
        "browser.gatherUsageStats": False,
        "client.toolbarMode": "viewer",
        "client.showErrorDetails": "none",
        "client.showErrorLinks": False,
        "client.disableDataExport": True,  # its CSV is not safe from formulas; ours is (dashboards.exports)
        "runner.magicEnabled": False,
    }
    flags = [f"--{name}={_written(value)}" for name, value in options.items()]
    return [sys.executable, "-m", "streamlit", "run", str(APP), *flags]


def main() -> None:
    """Become the dashboards' server, so that signals reach it directly."""
    arguments = command(Settings())
    os.execv(arguments[0], arguments)  # noqa: S606 - a list of our own making, no shell


def _written(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


if __name__ == "__main__":
    main()
