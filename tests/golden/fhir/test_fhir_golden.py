"""Golden cases: what each kind of FHIR message becomes, written down in full and read by people when it changes.

The people and places are invented. `input.*` is a message as sent, `expected.json` its outcomes.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.connector import Origin, Outcome
from connectors.fhir.connector import FHIRConnector
from hub_core.fhir.canonical import Json, dumps, load_object

CASES = sorted(Path(__file__).parent.glob("*/input.*"))
ORIGIN = Origin("riverbend", "riverbend-main", "America/Los_Angeles")


def outcome_as_json(outcome: Outcome) -> Json:
    """Return an outcome as it is written in `expected.json`."""
    return {
        "position": outcome.position,
        "kind": outcome.kind,
        "state": outcome.state,
        "issues": [f"{issue.severity} {issue.location}: {issue.text}" for issue in outcome.issues],
        "facts": [
            {
                "source_id": fact.source_id,
                "event_at": fact.event_at.isoformat() if fact.event_at else None,
                "authority": fact.authority.name,
                **({"is_deleted": True} if fact.is_deleted else {}),
                "resource": fact.resource,
            }
            for fact in outcome.facts
        ],
    }


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.parent.name)
def test_message_becomes_what_is_written_down(case: Path) -> None:
    """The facts, their order, their decimals and the issues are those of `expected.json`, to the byte."""
    outcomes = [outcome_as_json(outcome) for outcome in FHIRConnector().convert(case.read_bytes(), ORIGIN)]
    expected = load_object(case.with_name("expected.json").read_bytes())
    assert dumps({"outcomes": outcomes}, indent=True) == dumps(expected, indent=True)


def test_there_is_a_case_for_every_kind_of_message() -> None:
    """A kind without a golden case would change unseen."""
    kinds = {"transaction_bundle", "searchset_partly_broken", "patient_ndjson", "single_observation"}
    assert kinds <= {case.parent.name for case in CASES}
