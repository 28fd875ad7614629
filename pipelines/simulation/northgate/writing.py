"""Writes northgate's month: what must be there before it, the script of intentions, and what is true afterwards."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path

from pipelines.simulation.group import EXCHANGE, PAYERS
from pipelines.simulation.northgate.facts import Booking, Intention, Month, Record
from pipelines.simulation.northgate.payers import answers
from pipelines.simulation.northgate.place import KEY, SOURCE, ZONE, described
from pipelines.simulation.truth import Row, TruthFiles


def write_month(month: Month, folder: Path) -> None:
    """Write `practice.json`, `month.jsonl` and the truth files to a folder, which is made."""
    with TruthFiles(folder / "truth") as truth:
        for kind, row in truth_rows(month):
            truth.add(kind, [row])
    (folder / "practice.json").write_text(json.dumps(described(), indent=1) + "\n", encoding="utf-8")
    with (folder / "month.jsonl").open("w", encoding="utf-8") as script:
        script.writelines(f"{json.dumps(_line(each))}\n" for each in month.intentions)


def truth_rows(month: Month) -> Iterator[tuple[str, Row]]:
    """Yield the rows of what is true when the month is over, each with the file it belongs to."""
    for record in month.records:
        yield from _record(record)
    for coverage in month.coverages:
        policy = coverage.policy
        yield (
            "coverages",
            {
                "coverage_id": coverage.coverage_id,
                "site": KEY,
                "payer": PAYERS[policy.payer].name,
                "rank": policy.rank,
                "relationship": policy.relationship,
            },
        )
    for booking in month.bookings:
        yield "bookings", _booking(booking)
    for answer in answers(month):
        yield (
            "eligibility",
            {
                "answer_id": answer.answer_id,
                "site": KEY,
                "payer": PAYERS[answer.policy.payer].name,
                "is_active": "" if answer.is_active is None else answer.is_active,
                "service_on": answer.service_on,
            },
        )
    for merge in month.merges:
        yield "merges", {"merge_id": merge.merge_id, "site": KEY, "is_standing": merge.is_standing}
    for each in month.intentions:
        if each.refused:
            yield "refusals", {"attempt": each.key, "site": KEY, "tried": each.do, "reason": each.refused}


def _line(intention: Intention) -> dict[str, object]:
    said = {
        "key": intention.key,
        "at": intention.at.isoformat(timespec="minutes"),
        "lane": intention.lane,
        "by": intention.by,
        "do": intention.do,
        **intention.told,
    }
    return said | {"refused": intention.refused} if intention.refused else said


def _record(record: Record) -> Iterator[tuple[str, Row]]:
    """Yield a record, whose number the core will give, and the number under which other sites know the person."""
    stated = record.stated
    yield (
        "registrations",
        {
            "registration_id": record.record_id,
            "person_id": record.person_id,
            "site": KEY,
            "source": SOURCE,
            "mrn": "",
            "merged_into": record.merged_into,
            "family": stated.family,
            "given": stated.given,
            "birth_date": stated.birth_date,
        },
    )
    if record.exchange_number:
        number = {"kind": "PI", "assigner": EXCHANGE, "value": record.exchange_number}
        yield "identifiers", {"registration_id": record.record_id, **number}


def _booking(booking: Booking) -> Row:
    return {
        "booking_id": booking.booking_id,
        "registration_id": booking.record_id,
        "site": KEY,
        "clinician": booking.clinician,
        "status": booking.status,
        "starts_at": booking.starts.replace(tzinfo=ZONE).astimezone(UTC).isoformat(timespec="seconds"),
    }
