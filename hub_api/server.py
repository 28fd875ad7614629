"""Running the application with uvicorn: `python -m hub_api.server`."""

from __future__ import annotations

import logging
import sys

import uvicorn

from hub_api.app import create_app
from hub_core.collecting import collect_rarely
from hub_core.errors import WholechartError
from hub_core.settings import Settings

KEEP_ALIVE_SECONDS = 75
"""How long a connection without requests is kept: longer than clients and proxies keep one (5 and 60 seconds, mostly),
so that whoever closes it is not the one who is being asked on it."""


def main(settings: Settings | None = None) -> None:
    """Answer on the configured address until told to stop."""
    chosen = settings or Settings()
    app = create_app(chosen)
    collect_rarely()
    uvicorn.run(
        app,
        host=chosen.host,
        port=chosen.api_port,
        # Addresses of searches hold names and numbers of patients; the audit trail says who asked for what.
        access_log=False,
        server_header=False,
        log_level="warning",
        ws="none",
        timeout_graceful_shutdown=10,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        # A request is small but for messages, which are read as they come.
        h11_max_incomplete_event_size=64 * 1024,
    )


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        main()
    except WholechartError as error:
        sys.exit(f"wholechart: {error}")
