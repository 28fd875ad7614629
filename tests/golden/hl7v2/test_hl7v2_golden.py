"""Golden cases: what each message type becomes, written down in full and read by people when it changes.

The people and places are invented. `input.hl7` is a message as sent, `expected.json` its outcome.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.connector import Origin, Outcome
from connectors.hl7v2.connector import HL7v2Connector
from hub_core.fhir.canonical import Json, dumps, load_object

CASES = sorted(path.parent for path in Path(__file__).parent.glob("*/input.hl7"))
ORIGIN = Origin("riverbend", "riverbend-main", "America/Los_Angeles")


def outcome_as_json(outcome: Outcome) -> Json:
    """Return an outcome as it is written in `expected.json`."""
    return {
        "kind": outcome.kind,
        "state": outcome.state,
        "issues": [f"{issue.severity} {issue.location}: {issue.text}" for issue in outcome.issues],
        "facts": [
            {
                "source_id": fact.source_id,
                "event_at": fact.event_at.isoformat() if fact.event_at else None,
                "authority": fact.authority.name,
                "resource": fact.resource,
            }
            for fact in outcome.facts
        ],
    }


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name)
def test_message_becomes_what_is_written_down(case: Path) -> None:
    """The facts, their order, their decimals and the issues are those of `expected.json`, to the byte."""
    (outcome,) = HL7v2Connector().convert((case / "input.hl7").read_bytes(), ORIGIN)
    expected = load_object((case / "expected.json").read_bytes())
    assert dumps(outcome_as_json(outcome), indent=True) == dumps(expected, indent=True)


def test_there_is_a_case_for_every_event_of_the_first_feeds() -> None:
    """A mapped event without a golden case would change unseen."""
    events = {
        *("adt_a01", "adt_a03", "adt_a04", "adt_a08", "adt_a11", "adt_a13", "adt_a40", "dft_p03", "oru_r01"),
        *("siu_s12", "siu_s13", "siu_s14", "siu_s15", "vxu_v04"),
    }
    assert events <= {case.name for case in CASES}
