"""A practice with a front desk for the browser: the API running, two locations, somebody with a role at one of them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from fastapi import FastAPI

from hub_core.access import Role
from hub_core.principals import set_password
from hub_core.settings import Settings
from pipelines.installation import open_installation
from tests.e2e import ports
from tests.e2e.house import service
from tests.integration.hub_api.hub import Hub
from tests.integration.hub_api.practice import Practice, open_practice

PASSWORD = "correct horse battery staple"


@dataclass(frozen=True)
class FrontDesk:
    """A running practice, and how its people come in."""

    url: str
    practice: Practice

    def name_of(self, role: Role, at: str = "northgate") -> str:
        """Return the name of somebody with a role at a location, who can log in with `PASSWORD`."""
        principal_id = self.practice.works(role, at).principal_id
        with self.practice.hub.installation.database.begin() as unit:
            row = unit.driver.execute("SELECT name FROM principal WHERE principal_id = %s", (principal_id,)).fetchone()
            assert row is not None
            set_password(unit.driver, row[0], PASSWORD)
            return str(row[0])


@contextmanager
def running_front_desk(data_dir: Path) -> Iterator[FrontDesk]:
    """Give a practice whose API runs, and stop it afterwards."""
    settings = Settings(data_dir=data_dir, api_port=ports.reserve(1)[0])
    with open_installation(settings) as installation, ExitStack() as stack:
        practice = open_practice(Hub(settings.api_url, installation, FastAPI()), stack)
        command = [sys.executable, "-m", "hub_api.server"]
        stack.enter_context(service(settings, "api", command, f"{settings.api_url}/health/ready"))
        yield FrontDesk(settings.api_url, practice)
