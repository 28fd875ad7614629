"""How the simulated systems write HL7 v2.5.1: headers, escapes, times, and the data types most segments hold."""

from __future__ import annotations

from datetime import date, datetime
from functools import lru_cache
from typing import Final

from pipelines.simulation.clocks import TWO_DIGITS, clock
from pipelines.simulation.facts import fact
from pipelines.simulation.feeds import SimulatedFeed
from pipelines.simulation.group import CLINICIANS
from pipelines.simulation.world import Address, Code, Visit, VisitClass

_ESCAPES = str.maketrans(
    {"\\": "\\E\\", "|": "\\F\\", "^": "\\S\\", "~": "\\R\\", "&": "\\T\\", "\r": "\\X0D\\", "\n": "\\X0A\\"}
)
_CODE_SYSTEMS = {"ICD-10-CM": "I10C", "LOINC": "LN", "RxNorm": "RXNORM", "CVX": "CVX", "HCPCS": "HCPCS", "CPT": "C4"}
"""Our name of a code system to its name in CWE-3 (table 0396)."""


PATIENT_CLASSES: Final[dict[VisitClass, str]] = {"AMB": "O", "EMER": "E", "IMP": "I", "VR": "O"}
"""PV1-2 (table 0004), which has no class for video visits."""


@fact(frozen=True, slots=True)
class Draft:
    """A message without its header, which is written when its place among the messages of its feed is known."""

    sent_at: datetime
    kind: str
    """MSH-9 as it is written: `ADT^A04^ADT_A01`."""
    subject: str
    """The key of the fact it is about."""
    segments: str
    """Everything after MSH, segments ended by CR."""


class Stamp:
    """Writes instants as a system does: in the zone of its site, with or without the offset."""

    def __init__(self, feed: SimulatedFeed) -> None:
        """Write as `feed` does."""
        self._hours = clock(feed.practice.zone).hours
        self._has_offsets = feed.has_offsets

    def __call__(self, moment: datetime) -> str:
        """Return a DTM to the second; the second of two equal local times never goes without its offset."""
        hour = self._hours[moment.toordinal() * 24 + moment.hour]
        offset = hour.basic_offset if self._has_offsets or hour.is_second else ""
        return f"{hour.basic}{TWO_DIGITS[moment.minute]}{TWO_DIGITS[moment.second]}{offset}"

    def is_ambiguous(self, moment: datetime) -> bool:
        """Return whether the local time of a moment, without its offset, would be read as the hour before."""
        return self._hours[moment.toordinal() * 24 + moment.hour].is_second


class Header:
    """Writes the MSH segments of a feed, with the character set the rest is encoded in."""

    def __init__(self, feed: SimulatedFeed, stamp: Stamp) -> None:
        """Write as `feed` does, times by `stamp`."""
        self._beginning = f"MSH|^~\\&|{feed.application}|{feed.practice.facility}|WHOLECHART|RIVERBEND|"
        self._stamp = stamp

    def __call__(self, draft: Draft, control_id: str) -> str:
        """Return the MSH segment of a message."""
        sent_at = self._stamp(draft.sent_at)
        return f"{self._beginning}{sent_at}||{draft.kind}|{control_id}|P|2.5.1||||||UNICODE UTF-8\r"


@lru_cache(maxsize=1 << 15)
def escaped(text: str) -> str:
    """Return a text as it may stand in a component (chapter 2, section 2.7)."""
    return text.translate(_ESCAPES)


def day(value: date) -> str:
    """Return a DT."""
    return f"{value.year:04d}{value.month:02d}{value.day:02d}"


@lru_cache(maxsize=1 << 14)
def money(cents: int) -> str:
    """Return an amount of whole cents as a number."""
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100}.{abs(cents) % 100:02d}"


@lru_cache(maxsize=4096)
def coded(code: Code) -> str:
    """Return a CE of a code."""
    return f"{escaped(code.code)}^{escaped(code.label)}^{_CODE_SYSTEMS[code.system]}"


@lru_cache(maxsize=64)
def clinician(key: str) -> str:
    """Return an XCN of a clinician, under the national provider identifier."""
    found = CLINICIANS[key]
    return f"{found.npi}^{escaped(found.family)}^{escaped(found.given)}^^^^^^NPI^L^^^NPI"


def visit_in_passing(visit: Visit, facility: str) -> str:
    """Return the PV1 of messages that only say during which visit something was done."""
    return (
        f"PV1|1|{PATIENT_CLASSES[visit.visit_class]}|||||{clinician(visit.clinician)}||||||||||||"
        f"{visit.visit_id}^^^{facility}^VN\r"
    )


def address(value: Address) -> str:
    """Return an XAD of where somebody lives."""
    return f"{escaped(value.line)}^^{escaped(value.city)}^{value.state}^{value.postal_code}^USA^H"
