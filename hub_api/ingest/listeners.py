"""The MLLP listeners of an installation, one per feed with transport `mllp`, opened and closed with the application."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hub_api.services import Services


@asynccontextmanager
async def listening(services: Services) -> AsyncIterator[None]:
    """Listen on every MLLP feed's port while the block runs."""
    yield
