"""Puts the segments of a transaction set into the loops of its implementation guide, by a table of what opens which.

A guide is written one loop a line: name, the loops it may stand in, the segment that opens it (with the codes of its
qualifying element), how often it may occur, and the segments it may hold. How often: `!` once and required, `+` at
least once, `?` at most once, `*` any number, `:2` at most two.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from connectors.x12.transaction import Segment

ROOT = "ST"
UNKNOWN = "unknown"
"""Name of a loop that the guide does not have there; kept apart so that its segments become nobody else's."""
OTHER_CODE = "*"

_QUALIFIER = {"HL": 3}
_OFTEN = {"!": (1, 1), "+": (1, None), "?": (0, 1), "*": (0, None)}


@dataclass(frozen=True, slots=True)
class Often:
    """How often a segment or loop may occur where it stands."""

    least: int
    most: int | None

    @classmethod
    def read(cls, text: str) -> Often:
        """Return what one of `! + ? *` or a figure says."""
        return cls(*_OFTEN[text]) if text in _OFTEN else cls(0, int(text))


@dataclass(frozen=True, slots=True)
class LoopSpec:
    """One line of a guide."""

    name: str
    parents: tuple[str, ...]
    opener: str
    codes: tuple[str, ...]
    """Values of the opener's qualifying element; empty when any opens the loop."""
    often: Often
    segments: dict[str, Often]


@dataclass(frozen=True)
class Guide:
    """The loops of one implementation guide."""

    loops: tuple[LoopSpec, ...]

    @classmethod
    def read(cls, text: str) -> Guide:
        """Return the guide that `text` writes, one loop a line."""
        return cls(tuple(_spec(line.split()) for line in text.strip().splitlines() if line.strip()))

    @cached_property
    def by_name(self) -> dict[str, LoopSpec]:
        """The loops by name."""
        return {spec.name: spec for spec in self.loops}

    @cached_property
    def openers(self) -> dict[str, int]:
        """Segments that open loops, with the number of their qualifying element (0: none qualifies)."""
        return {spec.opener: (_QUALIFIER.get(spec.opener, 1) if spec.codes else 0) for spec in self.loops}

    @cached_property
    def steps(self) -> dict[tuple[str, str, str], str]:
        """(loop, opener, code) to the loop it opens there; `OTHER_CODE` stands for one the guide does not have."""
        steps = {}
        for spec in self.loops:
            for parent in spec.parents:
                for code in spec.codes or ("",):
                    steps[parent, spec.opener, code] = spec.name
                if spec.codes:
                    steps[parent, spec.opener, OTHER_CODE] = UNKNOWN
        return steps

    @cached_property
    def codes(self) -> frozenset[str]:
        """All codes that qualify an opener, and the empty one."""
        return frozenset({"", *(code for spec in self.loops for code in spec.codes)})

    @cached_property
    def start(self) -> Place:
        """The place before the first segment."""
        return self.place((ROOT,))

    @cached_property
    def _places(self) -> dict[tuple[str, ...], Place]:
        return {}

    def place(self, path: tuple[str, ...]) -> Place:
        """Return the place inside the loops `path`; there is one of each."""
        return self._places.setdefault(path, Place(path))


@dataclass(slots=True)
class Loop:
    """One occurrence of a loop: its segments, the opener first, and the loops inside it."""

    name: str
    segments: list[Segment] = field(default_factory=list)
    loops: list[Loop] = field(default_factory=list)

    @property
    def opener(self) -> Segment:
        """The segment that opened the loop."""
        return self.segments[0]

    def segment(self, name: str, *codes: str) -> Segment | None:
        """Return the first segment `name`, of those whose first element is one of `codes` if any are given."""
        for segment in self.segments:
            if segment.elements[0] == name and (not codes or segment[1] in codes):
                return segment
        return None

    def all(self, name: str, *codes: str) -> Iterator[Segment]:
        """Yield the segments `name`, of those whose first element is one of `codes` if any are given."""
        for segment in self.segments:
            if segment.elements[0] == name and (not codes or segment[1] in codes):
                yield segment

    def loop(self, *names: str) -> Loop | None:
        """Return the first loop inside with one of `names`."""
        for loop in self.loops:
            if loop.name in names:
                return loop
        return None

    def inside(self, *names: str) -> Iterator[Loop]:
        """Yield the loops directly inside that have one of `names`."""
        for loop in self.loops:
            if loop.name in names:
                yield loop

    def walk(self) -> Iterator[Loop]:
        """Yield this loop and every loop below it, in the order of the text."""
        yield self
        for loop in self.loops:
            yield from loop.walk()


def read_loops(guide: Guide, segments: Iterable[Segment]) -> Loop:
    """Return the root loop of a set, everything in it placed; a segment that opens nothing belongs to the loop open."""
    root = Loop(ROOT)
    path = [root]
    place = guide.start
    openers = guide.openers
    for segment in segments:
        name = segment.elements[0]
        qualifier = openers.get(name)
        step = None if qualifier is None else place.step(guide, name, segment[qualifier].strip() if qualifier else "")
        if step is None:
            path[-1].segments.append(segment)
        else:
            depth, place = step
            del path[depth:]
            loop = Loop(place.path[-1], [segment])
            path[-1].loops.append(loop)
            path.append(loop)
    return root


class Place:
    """Where a reader is in a guide: the loops open around it, and where the next opener leads, learned once."""

    __slots__ = ("_steps", "path")

    def __init__(self, path: tuple[str, ...]) -> None:
        self.path = path
        self._steps: dict[tuple[str, str], tuple[int, Place] | None] = {}

    def step(self, guide: Guide, name: str, code: str) -> tuple[int, Place] | None:
        """Return how many loops stay open and the place after them; None if the segment opens nothing here."""
        key = (name, code if code in guide.codes else OTHER_CODE)
        if key not in self._steps:
            self._steps[key] = self._find(guide, *key)
        return self._steps[key]

    def _find(self, guide: Guide, name: str, code: str) -> tuple[int, Place] | None:
        """Look for the nearest open loop that may hold what opens, whose code may be one nobody knows."""
        for wanted in (code, OTHER_CODE):
            for depth in range(len(self.path), 0, -1):
                found = guide.steps.get((self.path[depth - 1], name, wanted))
                if found is not None:
                    return depth, guide.place((*self.path[:depth], found))
        return None


def _spec(words: list[str]) -> LoopSpec:
    name, parents, opening, often, *held = words
    opener, _, codes = opening.partition(":")
    segments = dict(_held(word) for word in held)
    return LoopSpec(
        name, tuple(parents.split("|")), opener, tuple(codes.split("|")) if codes else (), Often.read(often), segments
    )


def _held(word: str) -> tuple[str, Often]:
    """Return segment and how often: `REF*` any number, `PER:2` at most two."""
    name, _, figure = word.partition(":")
    return (name, Often.read(figure)) if figure else (word[:-1], Often.read(word[-1]))
