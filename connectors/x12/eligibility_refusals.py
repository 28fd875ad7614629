"""Why a payer did not answer an eligibility request (AAA), in our words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from connectors.connector import Issue
from connectors.x12.code_systems import OWN_EXTENSION, coded, element_system
from connectors.x12.loops import Loop
from hub_core.fhir.canonical import Json

FOLLOW_UP = OWN_EXTENSION + "follow-up"
"""Extension of an error: what the payer asks for next (AAA04): C correct and resend, N do not resend, ..."""
_REJECT_REASON = "901"
_WORDS = {
    "15": "something required is missing", "33": "the request has errors", "41": "not allowed to ask",
    "42": "unable to answer now", "43": "provider number missing or wrong", "50": "provider may not ask",
    "51": "provider not on file", "52": "service date outside the provider's enrolment",
    "56": "date not possible", "57": "service date missing or wrong", "58": "birth date missing or wrong",
    "60": "birth date after the service date", "62": "service date too long ago or too far ahead",
    "63": "service date in the future", "64": "patient number missing or wrong", "65": "patient name missing or wrong",
    "67": "patient not found", "68": "several patients have this number", "71": "birth date is another",
    "72": "member number missing or wrong", "73": "member name missing or wrong", "75": "member not found",
    "76": "several members have this number", "77": "member found, patient not found",
    "78": "member not in this group or plan", "79": "payer or clearinghouse number wrong", "80": "no response",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Refusal:
    """One AAA."""

    code: str
    """AAA03."""
    follow_up: str
    """AAA04."""
    place: str

    @property
    def words(self) -> str:
        """What is wrong, as a person reads it."""
        return f"refused: {_WORDS.get(self.code, f'reason {self.code}')}"

    @property
    def error(self) -> Json:
        """The refusal as an error of the response."""
        stated = {"extension": [{"url": FOLLOW_UP, "valueCode": self.follow_up}]} if self.follow_up else {}
        return stated | {"code": coded(element_system(_REJECT_REASON), self.code or "not stated", self.words)}

    @property
    def issue(self) -> Issue:
        """The refusal as an issue of the message."""
        return Issue("warning", "processing", f"the payer {self.words}", self.place)


def refusals(loops: Iterable[Loop]) -> list[Refusal]:
    """Return the refusals that stand directly in `loops`."""
    return [
        Refusal(segment[3].strip(), segment[4].strip(), f"{loop.name} {segment.place(3)}")
        for loop in loops
        for segment in loop.all("AAA")
    ]
