"""What the mappers of one message share: the scope of its ids, the clock of its times, the facts and issues so far.

Messages repeat each other: the patient and the visit of an admission stand in each of its results. What such a part
comes to is found out once a batch (`Conversion.once`), and stated anew by each message as its own.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, Generic, NamedTuple, TypeVar

from connectors.connector import Authority, Fact, Issue, Origin, Severity
from connectors.hl7v2.concepts import concept
from connectors.hl7v2.tables import Concept
from connectors.hl7v2.timestamps import Clock, clock
from connectors.hl7v2.tokenizer import Composite, Message, Segment
from connectors.memory import remembered
from hub_core.fhir.canonical import Json
from hub_core.fhir.ids import derived_id

_PARTIES = frozenset({"Practitioner", "Organization", "Location"})
_party_id = lru_cache(maxsize=1 << 14)(derived_id)
"""Ids of those whom every message of a feed names again; ids of patients are kept nowhere."""


T = TypeVar("T")


class Passage(NamedTuple, Generic[T]):
    """What a part of a message came to; messages that repeat the part share all of it, so nobody may change it."""

    answer: T
    facts: tuple[Fact, ...]
    issues: tuple[Issue, ...]


def said(**elements: Any) -> Json:
    """Return the elements that say something: FHIR has no empty values."""
    return {name: value for name, value in elements.items() if value or (value is not None and value == 0)}


class Conversion:
    """The conversion of one message in progress."""

    __slots__ = (
        "_counts",
        "_facts",
        "_ids",
        "_known",
        "_placed",
        "_times",
        "assigner",
        "clock",
        "event",
        "event_at",
        "issues",
        "message",
        "origin",
    )

    def __init__(self, message: Message, origin: Origin) -> None:
        """Begin to convert `message`, which came from `origin`."""
        self.message = message
        self.origin = origin
        header = message.header
        self.event = header[9][2]
        self.assigner = header.text(4) or header[4][2] or header.text(3) or origin.source
        """Who assigned the identifiers that name no assigner: the sending facility."""
        self.clock: Clock = clock(header.text(7), origin.zone)
        self.issues: list[Issue] = list(message.issues)
        self._facts: dict[tuple[str, str], Fact] = {}
        self._ids: dict[tuple[str, str], str] = {}
        self._counts: dict[tuple[str, str], int] = {}
        self._placed: set[str] = set()
        self._times: dict[str, str | None] = {}
        scope = (origin, self.assigner, self.clock, message.delimiters, message.codec)
        self._known: dict[Hashable, Any] = remembered(scope)
        self.event_at = self._event_at(message)

    @property
    def facts(self) -> tuple[Fact, ...]:
        """What the message said, each resource once."""
        return tuple(self._facts.values())

    def resource_id(self, resource_type: str, source_id: str) -> str:
        """Return the id of the resource that the source calls `source_id`."""
        key = (resource_type, source_id)
        found = self._ids.get(key)
        if found is None:
            derive = _party_id if resource_type in _PARTIES else derived_id
            found = self._ids[key] = derive(self.origin.source, resource_type, source_id)
        return found

    def reference(self, resource_type: str, source_id: str) -> Json:
        """Return a reference to the resource that the source calls `source_id`."""
        return {"reference": f"{resource_type}/{self.resource_id(resource_type, source_id)}"}

    def add(
        self, resource_type: str, source_id: str, content: Mapping[str, Any], authority: Authority = Authority.FULL
    ) -> Json:
        """State a resource and return a reference to it; a stronger word on the same resource stands."""
        key = (resource_type, source_id)
        resource_id = self.resource_id(resource_type, source_id)
        known = self._facts.get(key)
        if known is None or known.authority < authority:
            resource: Json = {"resourceType": resource_type, "id": resource_id, **content}
            self._facts[key] = Fact(resource, source_id, self.event_at, authority)
        return {"reference": f"{resource_type}/{resource_id}"}

    def known(self, words: Hashable, read: Callable[[], T]) -> T:
        """Return what `read` returns, which is called once for equal `words` of a batch; nobody may change it.

        Args:
            words: what is read, named by what reads it, with all that its meaning depends on beside the origin, the
                assigner, the clock and the delimiters.
            read: states and notes nothing.
        """
        try:
            found: T = self._known[words]
        except KeyError:
            found = self._known[words] = read()
        return found

    def concept(self, value: Composite, *, table: str = "", mapped: Mapping[str, Concept] | None = None) -> Json | None:
        """Return the CodeableConcept of a coded value, as `concepts.concept` does: most codes come again and again."""
        if not value:
            return None
        words = ("concept", value.raw, table, mapped is None)
        return self.known(words, lambda: concept(value, self.origin.source, table=table, mapped=mapped))

    def once(self, words: Hashable, state: Callable[[], T]) -> T:
        """State what `state` does and return its answer; in a batch it is called once for equal `words`.

        Args:
            words: as those that are `known`.
            state: adds facts, notes issues and answers; it raises nothing, and asks for no unused id.
        """
        passage: Passage[T] = self.known(words, lambda: self._apart(state))
        for fact in passage.facts:
            self._state(fact.resource, fact.source_id, fact.authority)
        for issue in passage.issues:
            self.note(issue.severity, issue.code, issue.text, issue.location)
        return passage.answer

    def _apart(self, state: Callable[[], T]) -> Passage[T]:
        """Return what `state` comes to, as if nothing had been stated or noted before."""
        facts, issues, placed = self._facts, self.issues, self._placed
        self._facts, self.issues, self._placed = {}, [], set()
        try:
            return Passage(state(), self.facts, tuple(self.issues))
        finally:
            self._facts, self.issues, self._placed = facts, issues, placed

    def _state(self, resource: Json, source_id: str, authority: Authority) -> None:
        key = (resource["resourceType"], source_id)
        known = self._facts.get(key)
        if known is None or known.authority < authority:
            self._facts[key] = Fact(resource, source_id, self.event_at, authority)

    def unused(self, resource_type: str, source_id: str) -> str:
        """Return `source_id`, numbered from the second time that this message asks for it."""
        key = (resource_type, source_id)
        count = self._counts[key] = self._counts.get(key, 0) + 1
        return source_id if count == 1 else f"{source_id}#{count}"

    def note(self, severity: Severity, code: str, text: str, location: str) -> None:
        """Record an issue, once per place."""
        key = f"{location} {text}"
        if key not in self._placed:
            self._placed.add(key)
            self.issues.append(Issue(severity, code, text, location))

    def date(self, segment: Segment, number: int) -> str | None:
        """Return field `number` as a FHIR date, noting one that is none."""
        text = segment.text(number)
        return self._read(self.clock.date(text), text, segment, number) if text else None

    def date_time(self, segment: Segment, number: int) -> str | None:
        """Return field `number` as a FHIR dateTime, noting one that is none."""
        text = segment.text(number)
        return self._read(self._time(text), text, segment, number) if text else None

    def instant(self, segment: Segment, number: int) -> str | None:
        """Return field `number` as a FHIR instant; None where it has no time of day."""
        text = segment.text(number)
        said = self._time(text) if text else None
        return said if said and "T" in said else None

    def _time(self, text: str) -> str | None:
        """Return a time as a FHIR dateTime; those of a message are mostly one and the same."""
        if text not in self._times:
            self._times[text] = self.clock.date_time(text)
        return self._times[text]

    def _read(self, value: str | None, text: str, segment: Segment, number: int) -> str | None:
        if text and value is None:
            self.note("warning", "value", "not a date or time; left out", segment.place(number))
        return value

    def _event_at(self, message: Message) -> datetime | None:
        """Return when the event was recorded (EVN-2), else happened (EVN-6), else was sent (MSH-7).

        A day or a minute that MSH-7 says to the second is taken from there: two events of a minute stay in order.
        """
        event, sent = message.first("EVN"), message.header.text(7)
        candidates = [event.text(2), event.text(6)] if event else []
        for text in (*candidates, sent):
            if text and (moment := self.clock.moment(sent if sent.startswith(text) else text)):
                return moment
        return None
