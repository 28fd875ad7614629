"""What the elements of a segment may hold in 837P, 835 and 271: presence, type, length and short code lists.

A rule is written `number[!]type[least-most][=codes]`: `1!AN1-38` is a required text of at most 38 characters,
`3ID=F|M|U` one of three codes when it is there. Types are those of the standard: AN text, ID code, R decimal number,
N0 integer, DT date CCYYMMDD, TM time, C composite. `/20` is how many elements the segment may have.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from connectors.x12.elements import day, number
from connectors.x12.transaction import Segment

_WRITTEN = re.compile(r"(\d+)(!?)(AN|ID|R|N0|DT|TM|C)(?:(\d+)-(\d+))?(?:=(.+))?")


@dataclass(frozen=True, slots=True)
class ElementRule:
    """What one element of a segment may hold."""

    element: int
    is_required: bool
    kind: str
    least: int
    most: int
    codes: frozenset[str]

    @classmethod
    def read(cls, text: str) -> ElementRule:
        """Return the rule that `text` writes."""
        found = _WRITTEN.fullmatch(text)
        if found is None:
            raise ValueError(text)
        element, required, kind, least, most, codes = found.groups()
        listed = frozenset(codes.split("|")) if codes else frozenset[str]()
        return cls(int(element), bool(required), kind, int(least or 1), int(most or 80), listed)

    def fault(self, segment: Segment) -> tuple[str, str] | None:
        """Return FHIR issue type and text of what is wrong with this element of `segment`."""
        value = segment[self.element]
        if not value.strip():
            return ("required", "SNIP 2: the element is required and empty") if self.is_required else None
        if self.kind == "C":
            return None
        if self.codes and value not in self.codes:
            return "code-invalid", f"SNIP 2: the code is none of {', '.join(sorted(self.codes))}"
        if (form := _fault_of_form(self.kind, value)) is not None:
            return "value", form
        length = sum(map(str.isdigit, value)) if self.kind == "R" else len(value)
        if not self.least <= length <= self.most:
            return "value", f"SNIP 1: {length} characters, where {self.least} to {self.most} are allowed"
        return None


Rules: TypeAlias = dict[str, tuple[tuple[ElementRule, ...], int | None]]
"""Segment to the rules of its elements and how many it may have."""


def element_faults(segment: Segment, rules_of: Rules) -> Iterator[tuple[int, str, str]]:
    """Yield element number, issue type and text for everything wrong with the elements of `segment`."""
    rules, most = rules_of.get(segment.name, ((), None))
    for rule in rules:
        if fault := rule.fault(segment):
            yield rule.element, *fault
    if most is not None and len(segment.elements) - 1 > most:
        yield (
            most + 1,
            "structure",
            f"SNIP 1: the segment has {len(segment.elements) - 1} elements, at most {most} exist",
        )
    if segment.name in _QUALIFIED_DATES:
        yield from _date_faults(segment, *_QUALIFIED_DATES[segment.name])


_QUALIFIED_DATES = {"DTP": (2, 3), "DMG": (1, 2)}
"""Segments whose date is written as another element says: D8 a day, RD8 a range."""


def _date_faults(segment: Segment, form_element: int, element: int) -> Iterator[tuple[int, str, str]]:
    form, value = segment[form_element], segment[element]
    parts = value.split("-") if form == "RD8" else [value]
    expected = 2 if form == "RD8" else 1
    if form in ("D8", "RD8") and value and (len(parts) != expected or any(len(p) != 8 or not day(p) for p in parts)):
        yield element, "value", f"SNIP 1: this is no date of the form {form}"


def _fault_of_form(kind: str, value: str) -> str | None:
    if kind == "R" and number(value) is None:
        return "SNIP 1: this is not a number"
    if kind == "N0" and not (value.isascii() and value.lstrip("-").isdigit()):
        return "SNIP 1: this is not a whole number"
    if kind == "DT" and (len(value) != 8 or not day(value)):
        return "SNIP 1: this is no date of the form CCYYMMDD"
    if kind == "TM" and not (value.isascii() and value.isdigit() and 4 <= len(value) <= 8):
        return "SNIP 1: this is no time of the form HHMM"
    return None


def _read(text: str) -> Rules:
    rules = {}
    for line in text.strip().splitlines():
        name, *words = line.split()
        most = next((int(word[1:]) for word in words if word.startswith("/")), None)
        rules[name] = tuple(ElementRule.read(word) for word in words if not word.startswith("/")), most
    return rules


RULES = _read("""
BHT /6   1!ID4-4=0019 2!ID2-2=00|18 3!AN1-50 4!DT 5!TM 6!ID2-2=31|CH|RP
HL  /4   1!AN1-12 2AN1-12 3!ID1-2 4ID=0|1
NM1 /12  1!ID2-3 2!ID=1|2 3AN1-60 4AN1-35 5AN1-25 7AN1-10 8ID1-2 9AN2-80
N1  /6   1!ID2-3 2AN1-60 3ID1-2 4AN2-80
N3  /2   1!AN1-55 2AN1-55
N4  /7   1!AN2-30 2ID2-2 3ID3-15 4ID2-3
REF /4   1!ID2-3 2AN1-50
PER /8   1!ID2-2 2AN1-60 3ID2-2 4AN1-256
DMG /11  1!ID2-3 2!AN1-35 3ID=F|M|U
SBR /9   1!ID=A|B|C|D|E|F|G|H|P|S|T|U 2ID2-2 3AN1-50 4AN1-60 9ID1-2
PAT /9   1ID2-2
CLM /20  1!AN1-38 2!R1-18 5!C 6!ID=N|Y 7!ID=A|B|C 8!ID=N|W|Y 9!ID=I|Y
HI  /12  1!C
LX  /1   1!N01-6
SV1 /21  1!C 2!R1-18 3!ID=MJ|UN 4!R1-15 5AN1-2 7!C
DTP /3   1!ID3-3 2!ID=D8|RD8|DT 3!AN1-35
SVD /6   1!AN2-80 2!R1-18 3!C 5!R1-15
AMT /3   1!ID1-3 2!R1-18
CAS /19  1!ID=CO|OA|PI|PR 2!ID1-5 3!R1-18 4R1-15 6R1-18 9R1-18 12R1-18 15R1-18 18R1-18
BPR /21  1!ID=C|D|H|I|P|U|X 2!R1-18 3!ID=C|D 4!ID=ACH|BOP|CHK|FWT|NON 16!DT
TRN /4   1!ID=1 2!AN1-50 3!AN10-10
CLP /14  1!AN1-38 2!ID=1|2|3|4|19|20|21|22|23|25 3!R1-18 4!R1-18 5R1-18 6!ID1-2 7!AN1-50
SVC /7   1!C 2!R1-18 3!R1-18 5R1-15 7R1-15
DTM /6   1!ID3-3 2!DT
PLB /14  1!AN1-50 2!DT 3!C 4!R1-18
LQ  /2   1!ID1-3 2!AN1-30
""")
"""The rules of claims and remittances."""

ELIGIBILITY_RULES = RULES | _read("""
BHT /6   1!ID4-4=0022 2!ID2-2=06|11 3AN1-50 4!DT 5!TM
HL  /4   1!AN1-12 2AN1-12 3!ID1-2 4!ID=0|1
TRN /4   1!ID=1|2 2!AN1-50 3!AN10-10 4AN1-50
AAA /4   1!ID=N|Y 3!ID2-2 4!ID1-1
DMG /11  1ID2-3 2AN1-35 3ID=F|M|U
INS /17  1!ID=N|Y 2!ID2-2 3ID3-3 4ID2-3
EB  /14  1!ID1-2 2ID3-3 4ID1-3 5AN1-50 6ID1-2 7R1-18 8R1-10 9ID2-2 10R1-15 11ID=N|U|Y 12ID=N|U|W|Y
HSD /8   1ID2-2 2R1-15 3ID2-2 4R1-6 5ID1-2 6N01-3
MSG /3   1!AN1-264
III /9   1ID1-3 2AN1-30
LS  /1   1!AN1-4
LE  /1   1!AN1-4
""")
"""The rules of eligibility answers, where the same segments often hold other elements."""
