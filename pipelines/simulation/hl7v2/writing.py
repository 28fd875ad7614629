"""How the simulated systems write HL7 v2.5.1: headers, escapes, times, and the data types most segments hold."""

from __future__ import annotations

from datetime import date, datetime
from functools import lru_cache
from typing import NamedTuple

from pipelines.simulation.feeds import SimulatedFeed
from pipelines.simulation.group import CLINICIANS
from pipelines.simulation.world import Address, Code

_ESCAPES = str.maketrans(
    {"\\": "\\E\\", "|": "\\F\\", "^": "\\S\\", "~": "\\R\\", "&": "\\T\\", "\r": "\\X0D\\", "\n": "\\X0A\\"}
)
_CODE_SYSTEMS = {"ICD-10-CM": "I10C", "LOINC": "LN", "RxNorm": "RXNORM", "CVX": "CVX", "HCPCS": "HCPCS", "CPT": "C4"}
"""Our name of a code system to its name in CWE-3 (table 0396)."""


class Draft(NamedTuple):
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
        self._zone = feed.practice.zone
        self._has_offsets = feed.has_offsets

    def __call__(self, moment: datetime) -> str:
        """Return a DTM to the second; the second of two equal local times never goes without its offset."""
        local = moment.astimezone(self._zone)
        text = local.isoformat(timespec="seconds")
        digits = text[:4] + text[5:7] + text[8:10] + text[11:13] + text[14:16] + text[17:19]
        return digits + text[19:22] + text[23:25] if self._has_offsets or local.fold else digits


def header(feed: SimulatedFeed, stamp: Stamp, draft: Draft, control_id: str) -> str:
    """Return the MSH segment of a message, with the character set the rest is encoded in."""
    return (
        f"MSH|^~\\&|{feed.application}|{feed.practice.facility}|WHOLECHART|RIVERBEND|{stamp(draft.sent_at)}||"
        f"{draft.kind}|{control_id}|P|2.5.1||||||UNICODE UTF-8\r"
    )


def escaped(text: str) -> str:
    """Return a text as it may stand in a component (chapter 2, section 2.7)."""
    return text if text.isalnum() else text.translate(_ESCAPES)


def day(value: date) -> str:
    """Return a DT."""
    return f"{value.year:04d}{value.month:02d}{value.day:02d}"


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


def address(value: Address) -> str:
    """Return an XAD of where somebody lives."""
    return f"{escaped(value.line)}^^{escaped(value.city)}^{value.state}^{value.postal_code}^USA^H"
