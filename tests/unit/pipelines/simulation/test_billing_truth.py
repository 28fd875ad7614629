"""The truth about money agrees with what another reader counts in the remittances that are sent."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping

import pytest

from pipelines.simulation.billing import keep_books, truth_tables
from pipelines.simulation.x12 import interchanges
from tests.unit.pipelines.simulation.families import family_chapter
from tests.unit.pipelines.simulation.remittance_text import Claim, Payment, cents, read, segments

SEEDS = range(2)
Truth = Mapping[str, list[Mapping[str, object]]]


class House:
    """A chapter's truth, and its messages read again."""

    def __init__(self, seed: int) -> None:
        chapter = family_chapter(families=60, seed=seed)
        books = keep_books(chapter, seed)
        truth: dict[str, list[Mapping[str, object]]] = defaultdict(list)
        for kind, rows in truth_tables(chapter, books):
            truth[kind] += rows
        self.truth: Truth = truth
        sent = list(interchanges(chapter, books))
        self.payments: list[Payment] = [read(each.body) for each in sent if each.suffix == "835"]
        self.claims: list[Claim] = [claim for payment in self.payments for claim in payment.claims]
        self.billed = [each.body for each in sent if each.suffix == "837"]


@pytest.fixture(scope="module", params=SEEDS)
def house(request: pytest.FixtureRequest) -> House:
    return House(request.param)


def test_insurers_pay_what_the_remittances_say(house: House) -> None:
    counted: Counter[tuple[str, str]] = Counter()
    for payment in house.payments:
        payer = payment.payer
        counted["insurer", payer] += sum(each.paid for each in payment.claims)
        counted["provider_adjustment", payer] -= sum(moved for _, moved in payment.moved)
        assert payment.amount == sum(each.paid for each in payment.claims) - sum(moved for _, moved in payment.moved)
        assert (payment.amount == 0) == (payment.method == "NON")
    stated: Counter[tuple[str, str]] = Counter()
    for row in house.truth["payments"]:
        if row["site"] == "pediatrics":
            stated[str(row["payment_kind"]), str(row["payer"])] += int(str(row["cents"]))
    assert +stated == +counted
    assert -stated == -counted


def test_adjustments_are_those_of_the_remittances(house: House) -> None:
    counted: Counter[tuple[str, str, bool]] = Counter()
    for claim in house.claims:
        for group, reason, adjusted in claim.everywhere:
            counted[group, reason, claim.status == "22"] += adjusted
    stated: Counter[tuple[str, str, bool]] = Counter()
    for row in house.truth["adjustments"]:
        stated[str(row["group_code"]), str(row["reason_code"]), bool(row["is_reversal"])] += int(str(row["cents"]))
    assert stated == counted
    shares = sum(int(str(row["patient_responsibility_cents"])) for row in house.truth["answers"])
    assert shares == sum(claim.share for claim in house.claims)


def test_denials_are_lines_and_claims_left_unpaid(house: House) -> None:
    counted = []
    answered = [(payment.payer, claim) for payment in house.payments for claim in payment.claims]
    for number, (payer, claim) in enumerate(answered):
        if claim.status == "22":
            continue
        decided: list[tuple[int | None, int, list[tuple[str, str, int]]]]
        decided = [(line.number, line.paid, line.adjustments) for line in claim.lines]
        for place, paid, adjustments in decided or [(None, claim.paid, claim.adjustments)]:
            why = [
                each
                for each in adjustments
                if claim.status == "4" or (each[0] != "PR" and each[1] not in ("45", "23", "24", "94", "253"))
            ]
            if paid == 0 and why:
                own = (payer, claim.account)
                later = [each for by, each in answered[number + 1 :] if (by, each.account) == own]
                paying = {line.number for each in later if each.status != "22" for line in each.lines if line.paid > 0}
                is_overturned = place in paying if place else bool(paying)
                counted.append((claim.account, place or "", *why[0], is_overturned))
    stated = [
        tuple(
            row[name]
            for name in ("account_number", "line_number", "group_code", "reason_code", "cents", "is_overturned")
        )
        for row in house.truth["denials"]
    ]
    assert Counter(stated) == Counter(counted)
    assert {row["is_overturned"] for row in house.truth["denials"]} == {True, False}


def test_what_is_open_is_what_nobody_paid_or_wrote_off(house: House) -> None:
    billed: dict[str, int] = {}
    for body in house.billed:
        sequence = ""
        for name, *values in segments(body):
            if name == "HL":
                sequence = sequence if values[2] == "23" else ""
            elif name == "SBR":
                sequence = sequence or values[0]
            elif name == "CLM" and sequence == "P":
                billed[values[0]] = cents(values[1])
    open_by_text = Counter(billed)
    for claim in house.claims:
        open_by_text[claim.account] -= claim.paid
        for group, reason, adjusted in claim.everywhere:
            if group != "PR" and (group, reason) != ("OA", "23"):
                open_by_text[claim.account] -= adjusted
    stated = {
        row["account"]: int(str(row["payer_open_cents"])) + int(str(row["patient_open_cents"]))
        for row in house.truth["receivables"]
        if row["receivable_kind"] == "claim"
    }
    assert stated == dict(open_by_text)


def test_every_account_comes_to_charges_less_payments_and_adjustments(house: House) -> None:
    for row in house.truth["receivables"]:
        values = {name: int(str(value)) for name, value in row.items() if name.endswith("cents")}
        rest = values["billed_cents"] - values["paid_cents"] - values["adjusted_cents"]
        assert rest == values["payer_open_cents"] + values["patient_open_cents"], row["account"]
        assert min(values["payer_open_cents"], values["patient_open_cents"]) >= 0
    of_accounts = [row for row in house.truth["receivables"] if row["receivable_kind"] == "account"]
    charged = sum(int(str(row["cents"])) for row in house.truth["charges"] if row["charge_kind"] == "account")
    assert sum(int(str(row["billed_cents"])) for row in of_accounts) == charged
    paid = sum(int(str(row["cents"])) for row in house.truth["payments"] if row["site"] == "family-practice")
    assert sum(int(str(row["paid_cents"])) for row in of_accounts) == paid
    adjusted = sum(int(str(row["cents"])) for row in house.truth["account_adjustments"])
    assert sum(int(str(row["adjusted_cents"])) for row in of_accounts) == adjusted


def test_what_is_open_at_the_patient_is_the_share_the_last_payer_left(house: House) -> None:
    share: dict[str, Counter[str]] = defaultdict(Counter)
    last: dict[str, str] = {}
    for payment in house.payments:
        for claim in payment.claims:
            share[claim.account][payment.payer] += claim.share
            last[claim.account] = payment.payer
    checked = 0
    for row in house.truth["receivables"]:
        account = str(row["account"])
        if row["receivable_kind"] == "claim" and not row["payer_open_cents"]:
            assert row["patient_open_cents"] == share[account][last[account]]
            checked += 1
    assert checked > 100


def test_rows_of_a_kind_have_the_same_columns_and_keys_of_their_own(house: House) -> None:
    keys = {"charges": "charge_id", "payments": "payment_key", "claims": "claim_id", "answers": "answer_id"}
    keys |= {"denials": "denial_id", "receivables": "account", "account_adjustments": "entry_id"}
    for kind, rows in house.truth.items():
        assert len({tuple(row) for row in rows}) == 1, kind
        if kind in keys:
            assert len({row[keys[kind]] for row in rows}) == len(rows), kind


def test_parents_are_known_to_pediatrics_as_holders_of_policies(house: House) -> None:
    holders = {str(row["person_id"])[0] for row in house.truth["subscribers"]}
    assert holders == {"m", "f"}
    assert {row["site"] for row in house.truth["subscribers"]} == {"pediatrics"}


def test_a_claim_names_the_member_as_the_payer_knows_it(house: House) -> None:
    told = set()
    for body in house.billed:
        holder = child = ""
        for name, *values in segments(body):
            if name == "SBR":
                holder = holder if child else ""
            elif name == "HL":
                holder = holder if values[2] == "23" else ""
                child = ""
            elif name == "NM1" and values[0] == "IL":
                holder = holder or values[8]
            elif name == "NM1" and values[0] == "QC":
                child = values[3]
            elif name == "CLM":
                told.add((values[0], holder, child))
    stated = set()
    for row in house.truth["claims"]:
        _, member, given, _ = str(row["member"]).split("|")
        stated.add((row["account_number"], member, given.upper()))
    assert stated == told
