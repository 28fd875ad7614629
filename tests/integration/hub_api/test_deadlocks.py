"""Two acts that wait for each other: the database undoes one, and it is done again without its caller noticing."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from uuid import uuid4

from sqlalchemy import text

from ehr_pm.acts import Act
from hub_api.security.caller import Caller
from hub_api.services import Services
from hub_core.access import Access
from hub_core.principals import Principal
from tests.integration.hub_api.hub import Hub


def test_an_act_that_lost_a_deadlock_is_done_again(hub: Hub) -> None:
    both_hold_one = threading.Barrier(2)
    tries: list[str] = []

    def taking(first: str, second: str) -> Callable[[Act], str]:
        def work(doing: Act) -> str:
            tries.append(first)
            for key in (first, second):
                doing.session.execute(text("SELECT 1 FROM location WHERE key = :key FOR UPDATE"), {"key": key})
                if key == first and tries.count(first) == 1:
                    both_hold_one.wait(timeout=10)
            return first

        return work

    for key in ("north", "south"):
        hub.location(key)
    services: Services = hub.app.state.services
    principal = Principal(uuid4(), "somebody", "person", is_administrator=False)
    caller = Caller(principal, "session", None, Access(principal.principal_id, principal.name, ()))

    async def both() -> list[str]:
        acts = (taking("north", "south"), taking("south", "north"))
        return await asyncio.gather(*(services.act(caller, work) for work in acts))

    assert asyncio.run(both()) == ["north", "south"]
    assert len(tries) == 3
