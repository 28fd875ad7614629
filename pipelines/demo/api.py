"""The API of a running house as the demonstration speaks to it: its address, and a token of a program of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from hub_core.principals import ADMINISTRATOR, Principal, issue_token

if TYPE_CHECKING:
    from hub_core.settings import Settings
    from pipelines.installation import Installation

_PATIENCE = 30.0


def address_of(settings: Settings) -> str:
    """Return where the API of a house answers."""
    return f"http://{settings.host}:{settings.api_port}"


def connect(address: str, **headers: str) -> httpx.Client:
    """Return a client of the API."""
    return httpx.Client(base_url=address, headers=headers, timeout=_PATIENCE, trust_env=False)


def token_of(installation: Installation, program: str) -> str:
    """Return a token of a program for the whole group, as an administrator would make one."""
    with installation.database.begin() as unit:
        rows = unit.driver.execute(
            "SELECT principal_id FROM principal WHERE lower(name) = lower(%s)", (ADMINISTRATOR,)
        ).fetchall()
        owner = Principal(rows[0][0], ADMINISTRATOR, "person", is_administrator=True)
        return issue_token(unit.driver, program, is_administrator=True, issued_by=owner).secret
