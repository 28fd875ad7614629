"""How X12 is written: characters, amounts, dates, segments, and the envelopes that count them."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache

from pipelines.simulation.group import PRACTICES

PRACTICE = PRACTICES["pediatrics"]
CLEARINGHOUSE, CLEARINGHOUSE_NAME = "RIVCLEAR", "RIVER CLEARINGHOUSE"
BILLER, BILLER_NAME = "RPEDBILL", "RIVERBEND BILLING SERVICES"
END = "~\n"
"""What ends a segment; the line break is for the eye."""

_FORBIDDEN = str.maketrans(dict.fromkeys("*~:^", " "))
_NUMBERS_PER_CHAPTER = 10_000
_RANGES = {"837": 0, "835": 1_000, "271": 9_000}
"""Where the control numbers of a kind begin within those of a chapter."""

_GROUPS = {
    "837": ("HC", "005010X222A1"),
    "835": ("HP", "005010X221A1"),
    "271": ("HB", "005010X279A1"),
}


@dataclass(frozen=True, slots=True)
class Envelope:
    """Who sends an interchange to whom, when, and as which of its kind."""

    kind: str
    sender: str
    receiver: str
    written_at: datetime
    chapter: int
    ordinal: int
    """Place among the interchanges of this kind in the chapter."""

    @property
    def number(self) -> int:
        """Return the control number, which no other interchange of the world has."""
        return self.chapter * _NUMBERS_PER_CHAPTER + _RANGES[self.kind] + self.ordinal + 1


@lru_cache(maxsize=16384)
def text(value: str) -> str:
    """Return a value in the basic character set: upper case, without accents and delimiters."""
    if not value.isascii():
        value = unicodedata.normalize("NFKD", value).encode("ascii", "ignore").decode("ascii")
    return " ".join(value.upper().translate(_FORBIDDEN).split())


@lru_cache(maxsize=65536)
def amount(cents: int) -> str:
    """Return cents as X12 writes money: no zeros that say nothing."""
    sign, cents = ("-", -cents) if cents < 0 else ("", cents)
    whole, rest = divmod(cents, 100)
    return f"{sign}{whole}.{rest:02d}".rstrip("0").rstrip(".")


@lru_cache(maxsize=32768)
def day(value: date) -> str:
    """Return a date as CCYYMMDD."""
    return f"{value.year}{value.month:02d}{value.day:02d}"


def minute(moment: datetime) -> str:
    """Return the time of day as HHMM, where the practice is."""
    local = moment.astimezone(PRACTICE.zone)
    return f"{local.hour:02d}{local.minute:02d}"


def local_day(moment: datetime) -> str:
    """Return the day of a moment as CCYYMMDD, where the practice is."""
    return day(moment.astimezone(PRACTICE.zone).date())


def segment(*elements: str) -> str:
    """Return a segment without what is empty at its end."""
    return "*".join(elements).rstrip("*")


def interchange(envelope: Envelope, sets: Sequence[list[str]]) -> bytes:
    """Return an interchange with one group of transaction sets.

    Args:
        envelope: who sends it to whom, and when.
        sets: the segments of each set between ST and SE.
    """
    code, version = _GROUPS[envelope.kind]
    today, now, number = local_day(envelope.written_at), minute(envelope.written_at), envelope.number
    segments = [
        f"ISA*00*{'':10}*00*{'':10}*ZZ*{envelope.sender:15}*ZZ*{envelope.receiver:15}*{today[2:]}*{now}"
        f"*^*00501*{number:09d}*0*P*:",
        f"GS*{code}*{envelope.sender}*{envelope.receiver}*{today}*{now}*{number}*X*{version}",
    ]
    for place, body in enumerate(sets, 1):
        header = f"ST*{envelope.kind}*{place:04d}"
        segments.append(header if envelope.kind == "835" else f"{header}*{version}")
        segments += body
        segments.append(f"SE*{len(body) + 2}*{place:04d}")
    segments += [f"GE*{len(sets)}*{number}", f"IEA*1*{number:09d}"]
    return (END.join(segments) + END).encode("ascii")
