"""A payer in the house: answers eligibility inquiries (270) with 271s, always the same for the same member number.

Out of the box nothing leaves the machine, so this one answers. Of a member number the last two digits decide: `00` is
not known to it, `01` to `07` are members no longer, all others are; copay and deductible follow from the number too.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final

from connectors.x12.transaction import Segment, Transaction, read_transaction
from hub_core.errors import UnreadableError

_VERSION: Final = "005010X279A1"
_UNKNOWN: Final = frozenset({"00"})
_ENDED: Final = frozenset(f"0{digit}" for digit in range(1, 8))
_COPAYS: Final = (0, 15, 20, 25, 35, 50)
_PLANS: Final = ("SILVER PPO", "GOLD PPO", "BASIC HMO", "CHOICE EPO")


def answer(request: bytes) -> bytes:
    """Return the 271 that answers a 270.

    Raises:
        UnreadableError: if it is no 270 that names a payer and a member.
    """
    asked = read_transaction(request)
    if asked.set_id != "270":
        raise UnreadableError("an eligibility inquiry (270) was expected", location="ST01")
    member = _first(asked, "NM1", "IL")[9]
    segments = [f"ST*271*0001*{_VERSION}", *_echo(asked), *_said_of(member)]
    segments.append(f"SE*{len(segments) + 1}*0001")
    isa, group = asked.interchange, asked.group
    number = isa[13]
    envelope = [
        "*".join((*isa[:5], isa[7], isa[8], isa[5], isa[6], *isa[9:])),
        f"GS*HB*{isa[8].strip()}*{isa[6].strip()}*{group[4] if group else ''}*{group[5] if group else ''}"
        f"*{int(number)}*X*{_VERSION}",
        *segments,
        f"GE*1*{int(number)}",
        f"IEA*1*{number}",
    ]
    return "".join(f"{segment}~" for segment in envelope).encode("ascii")


def _echo(asked: Transaction) -> list[str]:
    """Return the hierarchy of the inquiry as an answer repeats it: who is asked, who asks, about whom."""
    begin = _first(asked, "BHT")
    echoed = [f"BHT*0022*11*{begin[3]}*{begin[4]}*{begin[5]}"]
    for segment in asked.segments:
        if segment.name in ("HL", "NM1", "DMG", "INS"):
            said = segment.elements[:]
            if said[:2] == ["NM1", "PR"]:
                said[3] = f"PAYER {said[9]}"
            echoed.append("*".join(said))
        elif segment.name == "TRN":
            echoed.append(f"TRN*2*{segment[2]}*{segment[3]}")
        elif segment.name == "DTP":
            echoed.append(f"DTP*291*D8*{segment[3]}")
    return echoed


def _said_of(member: str) -> list[str]:
    """Return what is said of a member: not found, no longer covered, or covered on which terms."""
    ending = member[-2:]
    if ending in _UNKNOWN:
        return ["AAA*N**75*C"]
    chance = sha256(member.encode()).digest()
    plan = _PLANS[chance[0] % len(_PLANS)]
    if ending in _ENDED:
        return [f"EB*6**30**{plan}"]
    copay, remaining = _COPAYS[chance[1] % len(_COPAYS)], chance[2] * 10
    return [f"EB*1*IND*30*PR*{plan}", f"EB*B*IND*98***27*{copay}", f"EB*C*IND*30***29*{remaining}"]


def _first(asked: Transaction, name: str, code: str | None = None) -> Segment:
    """Return the first segment of a name, whose first element is `code`.

    Raises:
        UnreadableError: if there is none.
    """
    for segment in asked.segments:
        if segment.name == name and (code is None or segment[1] == code):
            return segment
    raise UnreadableError("the inquiry lacks a segment", location=name if code is None else f"{name}*{code}")
