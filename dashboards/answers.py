"""What the API answers, as frozen records: the one place that knows the shape of its JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, TypeAlias
from uuid import UUID

JsonObject: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who is logged in and what they may do, as the API says: nothing is decided here."""

    name: str
    actions: frozenset[str]
    """What they may do somewhere, as the API's table of permissions calls it."""
    report_places: tuple[str, ...] | None
    """The locations whose numbers they see; None is the whole group."""

    @classmethod
    def read(cls, answer: JsonObject) -> Visitor:
        """Read the API's JSON; what it does not say is not allowed."""
        places = answer.get("report_locations", ())
        return cls(
            str(answer["name"]),
            frozenset(map(str, answer.get("actions", ()))),
            None if places is None else tuple(sorted(map(str, places))),
        )


@dataclass(frozen=True, slots=True)
class Identifier:
    """A number somebody gave a patient."""

    system: str
    value: str


@dataclass(frozen=True, slots=True)
class PatientRecord:
    """One source's record of a person."""

    patient_id: str
    source: str
    location: str | None
    identifiers: tuple[Identifier, ...]

    @classmethod
    def read(cls, answer: JsonObject) -> PatientRecord:
        """Read the API's JSON."""
        identifiers = tuple(
            Identifier(item.get("system") or "", str(item["value"]))
            for item in answer.get("identifiers", ())
            if item.get("value")
        )
        return cls(str(answer["patient_id"]), answer["source"], answer.get("location"), identifiers)


@dataclass(frozen=True, slots=True)
class Person:
    """One human and the records the group's sources keep of them."""

    person_id: UUID
    name: str
    birth_date: str | None
    gender: str | None
    patients: tuple[PatientRecord, ...]

    @classmethod
    def read(cls, answer: JsonObject, patients: list[JsonObject] | None = None) -> Person:
        """Read the API's JSON; `patients` where they stand beside the person."""
        records = tuple(PatientRecord.read(item) for item in patients or answer.get("patients") or ())
        name = answer.get("name") or "Name not known"
        return cls(UUID(answer["person_id"]), name, answer.get("birth_date"), answer.get("gender"), records)


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing a source said about a person, and where it came from."""

    resource_type: str
    resource_id: str
    version: int
    date: str | None
    category: str
    title: str
    detail: str | None
    status: str | None
    source: str
    location: str | None
    feed: str | None
    message_id: str | None
    received_at: datetime | None

    @classmethod
    def read(cls, answer: JsonObject) -> Fact:
        """Read the API's JSON."""
        return cls(
            resource_type=answer["resource_type"],
            resource_id=str(answer["resource_id"]),
            version=int(answer["version"]),
            date=answer.get("date"),
            category=answer.get("category") or answer["resource_type"],
            title=answer.get("title") or answer["resource_type"],
            detail=answer.get("detail"),
            status=answer.get("status"),
            source=answer["source"],
            location=answer.get("location"),
            feed=answer.get("feed"),
            message_id=answer.get("message_id"),
            received_at=_moment(answer.get("received_at")),
        )


@dataclass(frozen=True, slots=True)
class Chart:
    """Everything the group knows about a person at one moment."""

    person: Person
    facts: tuple[Fact, ...]
    is_complete: bool
    as_of: datetime | None

    @classmethod
    def read(cls, answer: JsonObject) -> Chart:
        """Read the API's JSON."""
        person = Person.read(answer["person"], answer.get("patients"))
        facts = tuple(Fact.read(item) for item in answer["facts"])
        return cls(person, facts, answer.get("is_complete") is not False, _moment(answer.get("as_of")))


@dataclass(frozen=True, slots=True)
class FeedState:
    """How far one feed is: records by what became of them, and how long the oldest waits."""

    feed: str
    source: str
    format: str
    received: int
    processed: int
    filtered: int
    rejected: int
    waiting: int
    last_received_at: datetime | None
    oldest_waiting_seconds: float | None

    @classmethod
    def read(cls, answer: JsonObject) -> FeedState:
        """Read the API's JSON."""
        oldest = answer.get("oldest_waiting_seconds")
        return cls(
            feed=answer["feed"],
            source=answer.get("source") or "",
            format=answer.get("format") or "",
            received=int(answer["received"]),
            processed=int(answer["processed"]),
            filtered=int(answer["filtered"]),
            rejected=int(answer["rejected"]),
            waiting=int(answer["waiting"]),
            last_received_at=_moment(answer.get("last_received_at")),
            oldest_waiting_seconds=None if oldest is None else float(oldest),
        )


@dataclass(frozen=True, slots=True)
class Misfit:
    """Something that does not fit between the practice's rows, the record, and the sources that keep them."""

    words: str
    subject: str
    source: str
    location: str
    found_at: datetime | None

    @classmethod
    def read(cls, answer: JsonObject) -> Misfit:
        """Read the API's JSON."""
        return cls(
            words=answer["words"],
            subject=f"{answer['subject_type']}/{answer['subject_id']}",
            source=answer.get("source") or "",
            location=answer.get("location") or "",
            found_at=_moment(answer.get("found_at")),
        )


@dataclass(frozen=True, slots=True)
class Reject:
    """One record a feed sent that could not be taken in, why, and where in the message."""

    created_at: datetime | None
    kind: str | None
    severity: str | None
    code: str | None
    reason: str
    place: str | None
    input: str | None
    position: int | None
    message_id: str | None

    @classmethod
    def read(cls, answer: JsonObject) -> Reject:
        """Read the API's JSON."""
        return cls(
            created_at=_moment(answer.get("created_at")),
            kind=answer.get("kind"),
            severity=answer.get("severity"),
            code=answer.get("code"),
            reason=answer["reason"],
            place=answer.get("location"),
            input=answer.get("input"),
            position=answer.get("position"),
            message_id=answer.get("message_id"),
        )


@dataclass(frozen=True, slots=True)
class RowPerson:
    """Whom a row of a mart is about."""

    name: str
    birth_date: str | None
    phone: str | None

    @classmethod
    def read(cls, answer: JsonObject | None) -> RowPerson | None:
        """Read the API's JSON."""
        if answer is None or not any(answer.values()):
            return None
        return cls(answer.get("name") or "Name not known", answer.get("birth_date"), answer.get("phone"))


@dataclass(frozen=True, slots=True)
class MartRows:
    """Some rows of a mart; values are Decimal, date and datetime where the mart says so."""

    mart: str
    key: str
    columns: tuple[str, ...]
    total: int
    rows: tuple[Mapping[str, Any], ...]
    people: tuple[RowPerson | None, ...]

    @classmethod
    def read(cls, answer: JsonObject) -> MartRows:
        """Read the API's JSON."""
        kinds = {column["name"]: column["type"] for column in answer["columns"]}
        rows = tuple({name: _typed(row[name], kind) for name, kind in kinds.items()} for row in answer["rows"])
        people = tuple(map(RowPerson.read, answer["people"]))
        return cls(answer["mart"], answer["key"], tuple(kinds), int(answer["total"]), rows, people)


@dataclass(frozen=True, slots=True)
class TracedMessage:
    """A message that said something, and the part of it that did."""

    message_id: str
    feed: str
    kind: str
    input: str | None
    record: int | None
    received_at: datetime | None
    text: str
    is_whole: bool

    @classmethod
    def read(cls, answer: JsonObject) -> TracedMessage:
        """Read the API's JSON."""
        return cls(
            message_id=answer["message_id"],
            feed=answer["feed"],
            kind=answer["kind"],
            input=answer.get("input"),
            record=answer.get("record"),
            received_at=_moment(answer.get("received_at")),
            text=answer["text"],
            is_whole=answer["is_whole"] is True,
        )


@dataclass(frozen=True, slots=True)
class TracedVersion:
    """One version of a resource, and the message that gave it; None when it was written here."""

    version: int
    source: str
    location: str | None
    recorded_at: datetime | None
    message: TracedMessage | None

    @classmethod
    def read(cls, answer: JsonObject) -> TracedVersion:
        """Read the API's JSON."""
        message = answer.get("message")
        return cls(
            version=int(answer["version"]),
            source=answer["source"],
            location=answer.get("location"),
            recorded_at=_moment(answer.get("recorded_at")),
            message=None if message is None else TracedMessage.read(message),
        )


@dataclass(frozen=True, slots=True)
class TracedResource:
    """A resource that a row was made from, its newest versions first."""

    reference: str
    versions: tuple[TracedVersion, ...]


@dataclass(frozen=True, slots=True)
class RowTrace:
    """What a row of a mart was made from."""

    resources: tuple[TracedResource, ...]
    messages: tuple[TracedMessage, ...]

    @classmethod
    def read(cls, answer: JsonObject) -> RowTrace:
        """Read the API's JSON."""
        resources = tuple(
            TracedResource(each["reference"], tuple(map(TracedVersion.read, each["versions"])))
            for each in answer["resources"]
        )
        return cls(resources, tuple(map(TracedMessage.read, answer["messages"])))


def _typed(value: Any, kind: str) -> Any:
    """Return a value as its column's type: JSON has neither days nor exact amounts."""
    if value is None:
        return None
    if kind.startswith("DECIMAL"):
        return Decimal(value)
    if kind == "DATE":
        return date.fromisoformat(value)
    return _moment(value) if kind.startswith("TIMESTAMP") else value


def _moment(text: str | None) -> datetime | None:
    """Read a time of the API; one without a zone is UTC, as all times inside the house are."""
    if not text:
        return None
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
