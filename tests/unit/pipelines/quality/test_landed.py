"""Great Expectations over landed batches: each fault is found, at its feed, and nothing else is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.lake.envelopes import ENVELOPES, write_envelopes
from pipelines.quality.findings import Finding, keep_findings
from pipelines.quality.landed import check_landed
from tests.unit.pipelines.changes import MOMENT, Log, change, identity

MESSAGES = {envelope.table: envelope for envelope in ENVELOPES}["messages"]


def observation(seq: int, feed: str, **envelope: Any) -> Any:
    stated = {"patient_id": identity("patient"), "event_at": MOMENT, "message_id": identity(feed)} | envelope
    return change(seq, {"resourceType": "Observation", "id": f"o{seq}"}, **stated)


def message(feed: str, *, kind: str = "ORU^R01", records: int = 1, rejected: int = 0) -> Sequence[Any]:
    values = {
        "message_id": str(identity(feed)),
        "feed": feed,
        "kind": kind,
        "records": records,
        "rejected": rejected,
        "state": "processed",
    }
    return [values.get(name) for name in MESSAGES.schema.names]


def judged(lake: Path, changes: Sequence[Any], messages: Sequence[Any], after: int = 0) -> list[Finding]:
    Log(changes).append_to(lake)
    manifest = write_envelopes(lake, [(MESSAGES, messages)])
    return list(check_landed(lake, manifest, after))


def failed(findings: list[Finding]) -> set[tuple[str, str]]:
    return {(each.subject, each.check) for each in findings if not each.passed}


def test_good_batches_pass(tmp_path: Path) -> None:
    findings = judged(tmp_path, [observation(1, "lab")], [message("lab")])
    assert findings
    assert failed(findings) == set()


def test_faults_are_found_at_their_feed(tmp_path: Path) -> None:
    changes = [
        observation(1, "lab"),
        observation(2, "clinic", patient_id=None),
        observation(3, "clinic", event_at=MOMENT + timedelta(days=40)),
    ]
    findings = judged(tmp_path, changes, [message("lab"), message("clinic", kind="unreadable", records=4, rejected=4)])
    assert failed(findings) == {
        ("clinic", "names its patient"),
        ("clinic", "says nothing of the future"),
        ("clinic", "is taken, not rejected"),
        ("clinic", "sends kinds that are known"),
    }
    assert {each.check for each in findings if each.refuses} == {"names its patient", "says nothing of the future"}


def test_what_was_published_before_is_not_judged_again(tmp_path: Path) -> None:
    changes = [observation(1, "clinic", patient_id=None), observation(2, "clinic")]
    findings = judged(tmp_path, changes, [message("clinic")], after=1)
    assert failed(findings) == set()


def test_an_empty_lake_has_nothing_to_judge(tmp_path: Path) -> None:
    assert judged(tmp_path, [], []) == []


@pytest.mark.parametrize(("gravity", "passed", "refuses"), [("error", False, True), ("warning", False, False)])
def test_findings_are_kept_in_the_warehouse(gravity: Any, passed: bool, refuses: bool) -> None:
    finding = Finding("dbt", "claims", "unique_claims_claim_id", gravity, passed, 12)
    assert finding.refuses is refuses
    with duckdb.connect() as connection:
        keep_findings(connection, [finding])
        keep_findings(connection, [finding])
        assert connection.execute("SELECT subject, is_passed, rows_checked FROM quality.checks").fetchall() == [
            ("claims", False, 12)
        ]
