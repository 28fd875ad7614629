"""The life of an appointment: which step may follow which, and what each means to the rest of the world."""

from __future__ import annotations

from typing import Final

from hub_core.errors import ConflictError

_NEXT: Final[dict[str, frozenset[str]]] = {
    "hold": frozenset({"booked", "cancelled"}),
    "booked": frozenset({"confirmed", "arrived", "cancelled", "noshow", "rescheduled"}),
    "confirmed": frozenset({"arrived", "cancelled", "noshow", "rescheduled"}),
    "arrived": frozenset({"roomed", "in_visit", "cancelled"}),
    "roomed": frozenset({"in_visit", "arrived"}),
    "in_visit": frozenset({"checked_out"}),
    "noshow": frozenset({"arrived"}),
}

BLOCKING: Final = frozenset({"hold", "booked", "confirmed", "arrived", "roomed", "in_visit", "checked_out"})
"""In these an appointment keeps its time; in the others somebody else may have it."""

FHIR_STATUS: Final[dict[str, str]] = {
    "hold": "proposed",
    "booked": "booked",
    "confirmed": "booked",
    "arrived": "arrived",
    "roomed": "checked-in",
    "in_visit": "checked-in",
    "checked_out": "fulfilled",
    "cancelled": "cancelled",
    "noshow": "noshow",
    "rescheduled": "cancelled",
}
"""R4 AppointmentStatus."""


def refuse_step(old: str, new: str) -> None:
    """Make sure that a step is one an appointment can take.

    Raises:
        ConflictError: if it is not.
    """
    if new not in _NEXT.get(old, frozenset()):
        raise ConflictError(f"an appointment that is {old} cannot become {new}")
