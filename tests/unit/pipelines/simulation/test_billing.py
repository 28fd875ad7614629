"""The books of the simulated group balance, keep to the rules of the trade, and are the same for the same seed."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace

import pytest

from pipelines.simulation.billing import keep_books
from pipelines.simulation.group import BEGINS, END_INSTANT, ENDS
from pipelines.simulation.money import Answer, Books
from tests.unit.pipelines.simulation.families import family_chapter

SEEDS = range(4)


@pytest.fixture(scope="module")
def large() -> Books:
    return keep_books(family_chapter(families=200), 1)


def answers(books: Books) -> list[Answer]:
    return [answer for remittance in books.remittances for answer in remittance.answers]


def test_the_same_seed_keeps_the_same_books() -> None:
    chapter = family_chapter(families=10)
    assert keep_books(chapter, 3) == keep_books(family_chapter(families=10), 3)
    assert keep_books(chapter, 3) != keep_books(chapter, 4)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_remittance_balances_at_line_claim_and_payment(seed: int) -> None:
    books = keep_books(family_chapter(seed=seed), seed)
    for remittance in books.remittances:
        for answer in remittance.answers:
            sign = -1 if answer.status == "22" else 1
            for line in answer.lines:
                assert sign * line.line.amount - sum(each.amount for each in line.adjustments) == line.paid
            assert answer.charged - sum(each.amount for _, each in answer.all_adjustments) == answer.paid
            assert not answer.lines or sum(each.paid for each in answer.lines) == answer.paid
        moved = sum(each.amount for each in remittance.provider_adjustments)
        assert remittance.amount == sum(each.paid for each in remittance.answers) - moved
        assert remittance.amount >= 0


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_happens_outside_of_the_simulated_time(seed: int) -> None:
    books = keep_books(family_chapter(seed=seed), seed)
    moments = [each.charged_at for each in books.charges] + [each.posted_at for each in books.entries]
    moments += [each.sent_at for each in books.claims] + [each.written_at for each in books.remittances]
    moments += [each.answered_at for each in books.eligibility]
    assert min(moments).date() >= BEGINS
    assert max(moments) <= END_INSTANT
    assert all(each.paid_on <= ENDS and each.paid_on == each.written_at.date() for each in books.remittances)


def test_an_answer_comes_after_the_claim_and_to_the_payer_who_was_asked(large: Books) -> None:
    claims = {each.claim_id: each for each in large.claims}
    for answer in answers(large):
        claim = claims[answer.claim_id]
        assert answer.paid_on > claim.sent_at.date()
        assert (answer.payer, answer.account_number, answer.frequency) == (
            claim.payer,
            claim.account_number,
            claim.frequency,
        )
        assert abs(answer.charged) == claim.amount


def test_a_reversal_takes_back_the_answer_that_stands(large: Books) -> None:
    standing: dict[tuple[str, str], Answer] = {}
    taken_back = 0
    for answer in sorted(answers(large), key=lambda each: each.paid_on):
        key = answer.account_number, answer.payer
        if answer.status != "22":
            assert key not in standing, "an answer that stands is decided again only after its reversal"
            standing[key] = answer
            continue
        taken_back += 1
        earlier = standing.pop(key)
        assert (answer.payer_control_number, answer.charged, answer.paid) == (
            earlier.payer_control_number,
            -earlier.charged,
            -earlier.paid,
        )
        assert answer.patient_responsibility == -earlier.patient_responsibility
    assert taken_back > 20


def test_a_replacement_names_the_answer_that_denied(large: Books) -> None:
    denied = {each.payer_control_number: each for each in answers(large) if each.status != "22"}
    replacements = [each for each in large.claims if each.frequency == "7"]
    assert replacements
    for claim in replacements:
        assert denied[claim.replaces].account_number == claim.account_number
        assert denied[claim.replaces].paid_on < claim.sent_at.date()


def test_a_secondary_claim_says_what_the_primary_did_and_gets_no_more_than_it_left(large: Books) -> None:
    secondary = {each.claim_id: each for each in large.claims if each.sequence == "S"}
    assert len(secondary) > 100
    for answer in answers(large):
        claim = secondary.get(answer.claim_id)
        if claim and claim.primary_answer:
            left = claim.primary_answer.patient_responsibility
            prior = sum(each.amount for _, each in answer.all_adjustments if each.reason_code == "23")
            assert answer.status == "2"
            assert prior == claim.amount - left
            assert 0 <= answer.paid <= left


def test_what_is_kept_back_was_left_before_and_what_is_forwarded_comes_back(large: Books) -> None:
    kept: dict[tuple[str, str], list[int]] = defaultdict(list)
    for remittance in sorted(large.remittances, key=lambda each: each.paid_on):
        for each in remittance.provider_adjustments:
            if each.reason_code in ("WO", "FB"):
                kept[each.reason_code, each.reference].append(each.amount)
    assert {reason for reason, _ in kept} == {"WO", "FB"}
    for amounts in kept.values():
        assert amounts[0] < 0
        assert amounts[1:] in ([], [-amounts[0]])


def test_everything_that_can_happen_to_a_claim_does(large: Books) -> None:
    status = Counter(each.status for each in answers(large))
    assert set(status) == {"1", "2", "4", "22"}
    moved = {each.reason_code for one in large.remittances for each in one.provider_adjustments}
    assert moved == {"WO", "FB", "L6", "72"}
    assert any(each.amount == 0 for each in large.remittances)
    answered = {each.claim_id for each in answers(large)}
    assert any(each.claim_id not in answered for each in large.claims)
    reasons = {(each.group_code, each.reason_code) for one in answers(large) for _, each in one.all_adjustments}
    assert reasons >= {("CO", "45"), ("PR", "1"), ("PR", "2"), ("PR", "3"), ("CO", "29"), ("CO", "16"), ("OA", "23")}
    assert any(not each.lines for each in answers(large)), "claims decided as a whole"
    assert {each.refusal != "" for each in large.eligibility} == {True, False}
    assert {each.is_active for each in large.eligibility} == {True, False}


def test_a_credit_takes_back_one_charge_of_its_visit_whole(large: Books) -> None:
    charges = {each.charge_id: each for each in large.charges}
    credits = [each for each in large.charges if each.credits]
    assert credits
    for credit in credits:
        taken = charges[credit.credits or ""]
        assert taken.credits is None
        assert (taken.visit_id, taken.amount, taken.service) == (credit.visit_id, credit.amount, credit.service)
        assert credit.charged_at > taken.charged_at


def test_no_account_of_the_practice_is_paid_more_than_it_is_charged(large: Books) -> None:
    balance: Counter[str] = Counter()
    for charge in large.charges:
        balance[charge.visit_id] += -charge.amount if charge.credits else charge.amount
    for entry in large.entries:
        assert entry.amount > 0
        balance[entry.visit_id] -= entry.amount
    assert min(balance.values()) == 0
    assert max(balance.values()) > 0


def test_who_has_no_cover_pays_alone(large: Books) -> None:
    payers = {each.visit_id: each.payer for each in large.charges}
    assert None in payers.values()
    assert all(entry.payer in (None, payers[entry.visit_id]) for entry in large.entries)


def test_a_visit_that_was_cancelled_costs_nothing() -> None:
    chapter = family_chapter(families=4)
    chapter.visits = [replace(each, is_cancelled=True) for each in chapter.visits]
    books = keep_books(chapter, 1)
    assert (books.charges, books.claims, books.eligibility) == ([], [], [])


def test_keys_are_unique_over_chapters() -> None:
    first, second = (keep_books(family_chapter(number, families=20), 1) for number in (1, 2))
    for books in (first, second):
        charges = [each.charge_id for each in books.charges]
        assert len(set(charges)) == len(charges)
        assert len({each.answer_id for each in answers(books)}) == len(answers(books))
    for keys in (
        lambda books: {each.claim_id for each in books.claims},
        lambda books: {each.payer_control_number for each in answers(books)},
        lambda books: {each.trace_number for each in books.remittances},
        lambda books: {each.answer_id for each in books.eligibility},
    ):
        assert keys(first)
        assert not keys(first) & keys(second)
