"""What the sender of an HL7 v2 message is answered, once it is stored or could not be."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from connectors.hl7v2.writer import Verdict, acknowledge
from hub_core.clock import now
from hub_core.fhir.ids import new_id

if TYPE_CHECKING:
    from connectors.connector import Issue

_CONTROL_ID_LENGTH = 20
"""MSH-10 before version 2.7."""


def accept(body: bytes) -> bytes:
    """Return the answer to a message that is durable; empty where its sender wants none."""
    return _answer(body, Verdict.ACCEPTED)


def reject(body: bytes, issues: Iterable[Issue]) -> bytes:
    """Return the answer to what is no message, or could not be stored."""
    return _answer(body, Verdict.REJECTED, issues)


def _answer(body: bytes, verdict: Verdict, issues: Iterable[Issue] = ()) -> bytes:
    return acknowledge(body, verdict, at=now(), control_id=new_id().hex[:_CONTROL_ID_LENGTH], issues=issues)
