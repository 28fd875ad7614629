"""Writes an eligibility inquiry (270, 005010X279A1): one interchange, one question about one person. Pure."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

_VERSION: Final = "005010X279A1"
_SENDER: Final = "WHOLECHART"
_PLAN_COVERAGE: Final = "30"
"""Service type 30: whether the plan covers at all, and its general terms (element 1365)."""
_RELATIONSHIPS: Final = {"spouse": "01", "child": "19", "other": "34"}
"""Individual relationship codes that INS02 of 2100D may say (element 1069)."""


@dataclass(frozen=True, slots=True)
class Requestor:
    """Who asks: a provider by NPI, or a facility by its tax number where it has none."""

    name: str
    npi: str | None = None
    tax_id: str | None = None


@dataclass(frozen=True, slots=True)
class Inquiry:
    """What is asked."""

    trace: str
    """The number by which the answer is found again (TRN02)."""
    written_at: datetime
    requestor: Requestor
    payer_number: str
    member_id: str
    family: str
    given: str
    birth_date: date
    requested_for: date
    relationship: str = "self"
    """The patient's to the subscriber: self, spouse, child, other."""
    subscriber_family: str | None = None
    subscriber_given: str | None = None


def write_inquiry(inquiry: Inquiry) -> bytes:
    """Return an inquiry as an interchange of one group and one set (ASC X12N/005010X279A1, sections 2.4 and B.1.1)."""
    number = f"{int.from_bytes(inquiry.trace.encode()[-4:]) % 1_000_000_000:09}"
    day, clock = f"{inquiry.written_at:%Y%m%d}", f"{inquiry.written_at:%H%M}"
    segments = [f"ST*270*0001*{_VERSION}", *_body(inquiry, day, clock)]
    segments.append(f"SE*{len(segments) + 1}*0001")
    receiver = _said(inquiry.payer_number)[:15]
    envelope = [
        f"ISA*00*{'':10}*00*{'':10}*ZZ*{_SENDER:15}*ZZ*{receiver:15}*{day[2:]}*{clock}*^*00501*{number}*0*P*:",
        f"GS*HS*{_SENDER}*{receiver}*{day}*{clock}*{int(number)}*X*{_VERSION}",
        *segments,
        f"GE*1*{int(number)}",
        f"IEA*1*{number}",
    ]
    return "".join(f"{segment}~" for segment in envelope).encode("ascii")


def _body(inquiry: Inquiry, day: str, clock: str) -> list[str]:
    requestor = inquiry.requestor
    kind, known_by = ("XX", requestor.npi) if requestor.npi else ("FI", requestor.tax_id or "NONE")
    is_dependent = inquiry.relationship != "self"
    return [
        f"BHT*0022*13*{_said(inquiry.trace)}*{day}*{clock}",
        "HL*1**20*1",
        f"NM1*PR*2******PI*{_said(inquiry.payer_number)}",
        "HL*2*1*21*1",
        f"NM1*1P*2*{_said(requestor.name)}*****{kind}*{_said(known_by)}",
        f"HL*3*2*22*{int(is_dependent)}",
        *(_dependent(inquiry) if is_dependent else _subscriber(inquiry)),
    ]


def _subscriber(inquiry: Inquiry) -> list[str]:
    return [
        _trace(inquiry),
        f"NM1*IL*1*{_said(inquiry.family)}*{_said(inquiry.given)}****MI*{_said(inquiry.member_id)}",
        *_asked(inquiry),
    ]


def _dependent(inquiry: Inquiry) -> list[str]:
    holder = f"{_said(inquiry.subscriber_family or '')}*{_said(inquiry.subscriber_given or '')}"
    birth, *asked = _asked(inquiry)
    return [
        f"NM1*IL*1*{holder}****MI*{_said(inquiry.member_id)}",
        "HL*4*3*23*0",
        _trace(inquiry),
        f"NM1*03*1*{_said(inquiry.family)}*{_said(inquiry.given)}",
        birth,
        f"INS*N*{_RELATIONSHIPS.get(inquiry.relationship, _RELATIONSHIPS['other'])}",
        *asked,
    ]


def _trace(inquiry: Inquiry) -> str:
    return f"TRN*1*{_said(inquiry.trace)}*9{_SENDER[:9]}"


def _asked(inquiry: Inquiry) -> list[str]:
    """Return who, for which day, and what about."""
    return [
        f"DMG*D8*{inquiry.birth_date:%Y%m%d}",
        f"DTP*291*D8*{inquiry.requested_for:%Y%m%d}",
        f"EQ*{_PLAN_COVERAGE}",
    ]


def _said(text: str) -> str:
    """Return a text in the basic character set (X12 B.1.1.2.2): without accents, delimiters, control characters."""
    plain = unicodedata.normalize("NFKD", text.upper()).encode("ascii", "ignore").decode()
    return " ".join("".join(" " if each in "*~:^" or not each.isprintable() else each for each in plain).split())
