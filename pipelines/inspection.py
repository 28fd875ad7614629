"""Looking at files without an installation: what they become, what is wrong with them, how they are answered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from connectors.connector import Issue, Origin, Outcome, Piece, Refusal
from connectors.hl7v2.writer import Verdict, acknowledge
from connectors.transport.files import FileRefusal, Found, FoundFile, open_stream
from hub_core.clock import now
from hub_core.errors import ConfigurationError, UnreadableError
from hub_core.fhir.canonical import Json
from hub_core.fhir.ids import new_id

LIMIT = 64 * 1024 * 1024
"""Largest record looked at, in bytes."""

FAULTS = ("error", "fatal")


def outcomes(found: Found, source: str) -> Iterator[Outcome]:
    """Yield what each record of a file becomes; nothing for a file that was passed over."""
    if isinstance(found, FileRefusal):
        if not found.is_skipped:
            yield Outcome(1, "file", "rejected", issues=(Issue("error", "structure", found.reason),))
        return
    position = 0
    for cut in _cuts(found):
        if isinstance(cut, Refusal):
            if cut.issue.severity in FAULTS:
                yield Outcome(cut.position, "record", "rejected", issues=(cut.issue,))
            continue
        for outcome in found.connector.convert(cut.body, Origin(source)):
            position = cut.position + outcome.position - 1
            yield Outcome(position, outcome.kind, outcome.state, outcome.facts, outcome.issues)


def issues(found: Found) -> Iterator[Issue]:
    """Yield every issue of a file."""
    if isinstance(found, FileRefusal):
        yield Issue("information" if found.is_skipped else "error", "structure", found.reason)
        return
    for cut in _cuts(found):
        if isinstance(cut, Refusal):
            yield cut.issue
        else:
            yield from found.connector.check(cut.body)


def answers(found: Found) -> Iterator[tuple[bytes, bool]]:
    """Yield the acknowledgement of each message of a file, and whether it refuses the message.

    Raises:
        ConfigurationError: if messages of this format are not answered one by one.
    """
    if not isinstance(found, FoundFile) or found.connector.format != "hl7v2":
        raise ConfigurationError(f"{found.input}: only HL7 v2 messages are answered")
    for cut in _cuts(found):
        if isinstance(cut, Piece):
            faults = [issue for issue in found.connector.check(cut.body) if issue.severity in FAULTS]
            verdict = Verdict.ERROR if faults else Verdict.ACCEPTED
            answer = acknowledge(cut.body, verdict, at=now(), control_id=new_id().hex[:20], issues=faults)
            yield answer, bool(faults)


def operation_outcome(found: Iterable[Issue]) -> Json:
    """Return an OperationOutcome (R4 section 2.36); one that found nothing says so, since it needs an issue."""
    listed = [_said(issue) for issue in found]
    if not listed:
        listed = [{"severity": "information", "code": "informational", "details": {"text": "no issues were found"}}]
    return {"resourceType": "OperationOutcome", "issue": listed}


def _said(issue: Issue) -> Json:
    body: Json = {"severity": issue.severity, "code": issue.code, "details": {"text": issue.text}}
    if issue.location:
        body["location"] = [issue.location]
    return body


def _cuts(found: FoundFile) -> Iterator[Piece | Refusal]:
    """Yield what a file is cut into; damage that shows while reading is the last refusal."""
    last = 0
    try:
        with open_stream(found) as stream:
            for cut in found.connector.cut(stream, limit=LIMIT):
                last = cut.position
                yield cut
    except UnreadableError as error:
        yield Refusal(last + 1, Issue("error", error.code, error.text, error.location))
