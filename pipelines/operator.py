"""Whoever runs `wholechart` on the machine itself: the operating system knows them, and their looks are audited too."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING

from hub_core import audit

if TYPE_CHECKING:
    from hub_core.fhir.canonical import Json
    from pipelines.installation import Installation


def audit_look(installation: Installation, action: str, detail: Json) -> None:
    """Make it durable that the operator looked at patients' data; call it before they are shown."""
    event = audit.AuditEvent(None, action, detail={**detail, "operator": _operator()})
    with installation.database.begin() as unit:
        audit.record(unit.driver, event)


def _operator() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user id without an entry in the user database
        return "unknown"
