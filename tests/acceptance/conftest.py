"""What the acceptance tests of the practice run on: the same running hub and practice as the tests of its API."""

from __future__ import annotations

from tests.integration.conftest import database, installation, quick_passwords, server
from tests.integration.hub_api.conftest import admin, hub, practice, stranger

__all__ = ["admin", "database", "hub", "installation", "practice", "quick_passwords", "server", "stranger"]
