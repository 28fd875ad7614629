"""What a simulated system sends: one message, or one file, by one feed."""

from __future__ import annotations

from datetime import datetime

from pipelines.simulation.facts import fact


@fact(frozen=True, slots=True)
class Sent:
    """One thing that leaves a system: an HL7 message, an X12 interchange, or an NDJSON file of one night."""

    feed: str
    sent_at: datetime
    body: bytes
    suffix: str
    """Of the file it is kept in: hl7, 837, 835, 271 or ndjson."""
    label: str = ""
    """What it is: ADT^A04, 837P, Patient."""
    records: int = 1
    """How many records the house will count: messages, transaction sets, or lines."""
    subject: str = ""
    """The key of the fact it is about (a visit, a report, a claim), so that truth can name what a fault hit."""
