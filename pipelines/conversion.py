"""A stored message becomes entries for the record, and a result that accounts for every one of its records."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby

from connectors.connector import Connector, Fact, Issue, Origin, Outcome, Severity
from ehr_pm.record.entry import Entry
from hub_core.fhir.protected import protect_all
from hub_core.messages.arrival import Finding, Message, Result
from pipelines.marking import Marking

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Conversion:
    """What one message says: entries to apply, and the result but for what the record will answer."""

    message: Message
    entries: tuple[Entry, ...]
    result: Result

    def by_record(self) -> Iterator[tuple[int, Conversion]]:
        """Yield each record's position, and its entries as a conversion of their own."""
        for position, entries in groupby(self.entries, key=lambda entry: entry.position):
            yield position, replace(self, entries=tuple(entries), result=replace(self.result, changed=0))


def convert(
    message: Message, body: bytes, connector: Connector, token: Callable[[str], str], marking: Marking
) -> Conversion:
    """Return what a message says; a fault in our own code rejects the message, with its bytes kept, and is logged.

    Args:
        message: the message.
        body: its bytes.
        connector: of its format.
        token: what identifiers that are too dangerous to keep in clear become.
        marking: what feeds say of how sensitive that is which they send.
    """
    origin = Origin(message.source, message.location, message.zone, message.release)
    try:
        outcomes = list(connector.convert(body, origin))
        entries = tuple(_entries(message, outcomes, connector.mapping_version, token, marking))
    except Exception as error:  # boundary: one message must not stop the others
        _log.exception("message %s could not be converted", message.message_id, exc_info=_nameless(error))
        return failed(message, f"Wholechart could not convert this message ({type(error).__name__}); it is kept")
    return Conversion(message, entries, _result(message, outcomes, len(entries), connector.mapping_version))


def failed(message: Message, reason: str) -> Conversion:
    """Return the conversion of a message none of which can be used."""
    finding = Finding(1, message.kind, "error", "exception", reason)
    return Conversion(message, (), Result(message.message_id, rejected=message.records, findings=(finding,)))


def without_record(result: Result, message: Message, position: int, part: Conversion, error: str) -> Result:
    """Return the result with one record moved from processed to rejected, because the record refused it."""
    reason = f"the record could not take this ({error}); it is kept for replay"
    return replace(
        result,
        processed=result.processed - 1,
        rejected=result.rejected + 1,
        resources=result.resources - len(part.entries),
        findings=(*result.findings, Finding(position, message.kind, "error", "exception", reason)),
    )


def _entries(
    message: Message,
    outcomes: Iterable[Outcome],
    mapping_version: str,
    token: Callable[[str], str],
    marking: Marking,
) -> Iterator[Entry]:
    for outcome in outcomes:
        facts = _one_word_each(outcome.facts)
        resources = protect_all([fact.resource for fact in facts], token)
        for fact, resource in zip(facts, resources, strict=True):
            yield Entry(
                resource=marking.mark(resource, message.feed),
                source=message.source,
                source_id=fact.source_id,
                location=message.location,
                event_at=fact.event_at or message.received_at,
                authority=fact.authority,
                arrival=message.arrival,
                message_id=message.message_id,
                position=outcome.position,
                mapping_version=mapping_version,
                is_deleted=fact.is_deleted,
            )


def _one_word_each(facts: Iterable[Fact]) -> list[Fact]:
    """Return one fact per resource, the strongest, then the last: a record said twice must apply the same way twice."""
    words: dict[tuple[str, str], Fact] = {}
    for fact in facts:
        key = (fact.resource["resourceType"], fact.resource["id"])
        if key not in words or fact.authority >= words[key].authority:
            words[key] = fact
    return list(words.values())


def _result(message: Message, outcomes: list[Outcome], resources: int, mapping_version: str) -> Result:
    states = [outcome.state for outcome in outcomes]
    return Result(
        message.message_id,
        processed=states.count("processed"),
        filtered=states.count("filtered"),
        rejected=states.count("rejected"),
        resources=resources,
        mapping_version=mapping_version,
        findings=tuple(_finding(outcome, issue) for outcome in outcomes for issue in outcome.issues),
    )


def _finding(outcome: Outcome, issue: Issue) -> Finding:
    """Return the finding as the reject list keeps it: there, an error is what kept a record out, and nothing else."""
    severity: Severity = issue.severity
    if outcome.state == "filtered":
        severity = "information"
    elif outcome.state == "processed" and severity in ("fatal", "error"):
        severity = "warning"
    return Finding(outcome.position, outcome.kind, severity, issue.code, issue.text, issue.location)


def _nameless(error: Exception) -> Exception:
    """Return an error with the same traceback but no text: exceptions quote the data they stumbled over."""
    return RuntimeError(type(error).__name__).with_traceback(error.__traceback__)


def with_changes(result: Result, changed: int) -> Result:
    """Return the result with how many versions it wrote."""
    return replace(result, changed=changed)
