"""Whether a set has the loops, segments and elements its implementation guide asks for (SNIP types 1, 2, 4 and 5)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TypeAlias

from connectors.connector import Issue
from connectors.x12.claim_details import frequency
from connectors.x12.element_rules import RULES, Rules, element_faults
from connectors.x12.loops import UNKNOWN, Guide, Loop, LoopSpec
from connectors.x12.transaction import Segment

Finding: TypeAlias = tuple[int, Issue]
"""An issue and the ordinal of the segment it stands at."""

_NPI_PREFIX = "80840"


def structure_findings(guide: Guide, root: Loop, rules: Rules = RULES) -> Iterator[Finding]:
    """Yield what is wrong in each loop of a set, by the guide and the rules for the elements of its segments."""
    for loop in root.walk():
        for segment in loop.segments:
            yield from _element_findings(loop, segment, rules)
        spec = guide.by_name.get(loop.name)
        if spec is None:
            text = "SNIP 1: the guide has no loop here that this segment opens"
            yield loop.opener.ordinal, Issue("error", "structure", text, loop.opener.place())
        else:
            yield from _segment_findings(loop, spec)
            yield from _loop_findings(guide, loop)
    yield from _hierarchy_findings(guide, root)


def situation_findings(claim: Loop) -> Iterator[Finding]:
    """Yield what a claim must have because of what else it says (SNIP type 4)."""
    if frequency(claim.opener) in ("7", "8") and claim.segment("REF", "F8") is None:
        text = "SNIP 4: a replacement or void must name the payer's number of the claim it concerns (REF*F8)"
        yield claim.opener.ordinal, Issue("error", "required", text, f"2300 {claim.opener.place(5)}")


def has_valid_npi(npi: str) -> bool:
    """Return whether a National Provider Identifier has ten digits and the right check digit (45 CFR 162.406, Luhn)."""
    if not (len(npi) == 10 and npi.isascii() and npi.isdigit()):
        return False
    digits = [int(digit) for digit in reversed(_NPI_PREFIX + npi)]
    doubled = (digit * 2 - 9 * (digit > 4) for digit in digits[1::2])
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0


def _element_findings(loop: Loop, segment: Segment, rules: Rules) -> Iterator[Finding]:
    for element, code, text in element_faults(segment, rules):
        yield segment.ordinal, Issue("error", code, text, f"{loop.name} {segment.place(element)}")
    qualifier, element = {"NM1": (segment[8], 9), "N1": (segment[3], 4)}.get(segment.name, ("", 0))
    if qualifier == "XX" and segment[element] and not has_valid_npi(segment[element]):
        text = "SNIP 5: this is no National Provider Identifier: ten digits, the last a check digit"
        yield segment.ordinal, Issue("error", "value", text, f"{loop.name} {segment.place(element)}")


def _segment_findings(loop: Loop, spec: LoopSpec) -> Iterator[Finding]:
    found: Counter[str] = Counter()
    for segment in loop.segments if loop.name == "ST" else loop.segments[1:]:
        often = spec.segments.get(segment.name)
        found[segment.name] += 1
        if often is None:
            text = f"SNIP 1: the guide has no such segment in loop {loop.name}"
            yield segment.ordinal, Issue("error", "structure", text, segment.place())
        elif often.most is not None and found[segment.name] > often.most:
            text = f"SNIP 1: loop {loop.name} may hold this segment {often.most} times"
            yield segment.ordinal, Issue("error", "structure", text, segment.place())
    for name, often in spec.segments.items():
        if found[name] < often.least:
            yield _missing(loop, f"segment {name}")


def _loop_findings(guide: Guide, loop: Loop) -> Iterator[Finding]:
    found: Counter[str] = Counter()
    for inside in loop.loops:
        found[inside.name] += 1
        spec = guide.by_name.get(inside.name)
        if spec and spec.often.most is not None and found[inside.name] > spec.often.most:
            text = f"SNIP 1: loop {inside.name} may stand here {spec.often.most} times"
            yield inside.opener.ordinal, Issue("error", "structure", text, inside.opener.place())
    for spec in guide.loops:
        if loop.name in spec.parents and found[spec.name] < spec.often.least:
            yield _missing(loop, f"loop {spec.name}")


def _missing(loop: Loop, what: str) -> Finding:
    ordinal, place = (loop.opener.ordinal, loop.opener.place()) if loop.segments else (1, "ST")
    return ordinal, Issue("error", "required", f"SNIP 2: loop {loop.name} lacks the required {what}", place)


def _hierarchy_findings(guide: Guide, root: Loop) -> Iterator[Finding]:
    """Yield levels (HL) whose parent is not there or not of the level above."""
    above = _levels_above(guide)
    levels: dict[str, str] = {}
    for loop in root.walk():
        if loop.segments and loop.name not in ("ST", UNKNOWN) and loop.opener.name == "HL":
            level = loop.opener
            wanted = above.get(level[3], "")
            if wanted and levels.get(level[2]) != wanted:
                text = f"SNIP 2: the parent of a level {level[3]} must be a level {wanted} above it"
                yield level.ordinal, Issue("error", "structure", text, f"{loop.name} {level.place(2)}")
            levels[level[1]] = level[3]


def _levels_above(guide: Guide) -> dict[str, str]:
    """Return the level (HL03) that each level of a guide stands below; the highest one stands below none."""
    code_of = {spec.name: spec.codes[0] for spec in guide.loops if spec.opener == "HL"}
    return {
        code: code_of[spec.parents[0]]
        for spec in guide.loops
        if (code := code_of.get(spec.name)) and spec.parents[0] in code_of
    }
