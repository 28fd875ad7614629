"""The payer in the house: the same member gets the same answer, and what it says is read by the connector of feeds."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from connectors.x12.inquiry import Requestor
from ehr_pm.coverage.eligibility import Question
from hub_core.errors import UnreadableError
from pipelines.payers import simulator
from pipelines.payers.asking import SIMULATED, asking, read_answer

ASK = asking(Requestor("Riverbend", npi="1234567893"))
QUESTION = Question(
    control_number="0195AB00C0DE70008000",
    payer_number="PRMUT1",
    member_id="M123",
    family="Okafor",
    given="Ada",
    birth_date=date(1980, 4, 2),
    relationship="self",
    subscriber_family=None,
    subscriber_given=None,
    requested_for=date(2026, 3, 10),
)


@pytest.mark.parametrize(("member", "state"), [("M123", "active"), ("M107", "inactive"), ("M100", "unknown")])
def test_a_member_number_decides(member: str, state: str) -> None:
    found = ASK(replace(QUESTION, member_id=member))
    assert found.state == state
    assert (found.plan_name is None) == (state == "unknown")
    assert (found.copay_cents is None) == (state != "active")
    assert found.reason == (f"refused: member not found; {SIMULATED}" if state == "unknown" else SIMULATED)
    assert found.request.startswith(b"ISA*")
    assert b"ST*271*" in found.answer


def test_the_same_member_gets_the_same_answer() -> None:
    assert ASK(QUESTION).copay_cents == ASK(replace(QUESTION, control_number="2")).copay_cents
    assert len({ASK(replace(QUESTION, member_id=f"M{number}")).copay_cents for number in range(10, 99)}) > 3


def test_a_dependent_is_answered_under_the_subscriber() -> None:
    child = replace(QUESTION, relationship="child", subscriber_family="Okafor", subscriber_given="Eva")
    assert ASK(child).state == "active"


def test_an_answer_to_another_question_is_none() -> None:
    found = ASK(QUESTION)
    with pytest.raises(UnreadableError, match="not to this question"):
        read_answer("another", found.request, found.answer)
    with pytest.raises(UnreadableError, match="270"):
        simulator.answer(found.answer)
