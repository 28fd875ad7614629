"""The truth table by itself: truth files as tables, rows compared, persons found by following equal identifiers."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from pipelines.demo.checks import CHECKS
from pipelines.demo.checks.check import Check
from pipelines.demo.comparison import Line, Outcome, _outcome
from pipelines.demo.delivery import messages
from pipelines.demo.identity import Agreement, agreement, keep_known_persons
from pipelines.demo.truth import TABLES, open_truth

REGISTRATIONS = """registration_id,person_id,site,source,mrn,merged_into,family,given,birth_date
r1,p1,hospital,hosp,1,,Field,Ada,1980-01-02
r2,p1,cardiology,card,7,,Field,Ada,1980-01-02
r3,p1,cardiology,card,8,r2,Field,Ada,1980-01-02
r4,p2,hospital,hosp,2,,Ash,Ben,1990-03-04
r5,p3,pediatrics,billing,P5,,Ash,Cora,2019-05-06
r6,p4,pediatrics,billing,P6,,Ash,Dean,2020-05-06
"""
IDENTIFIERS = """registration_id,kind,assigner,value
r1,PI,EXCHANGE,E1
r2,PI,EXCHANGE,E1
r3,MR,CARD,8
r4,MR,HOSP,2
r5,MEMBER,PAYER1,M1|Cora|2019-05-06
r5,MEMBER,PAYER2,N1|Cora|2019-05-06
r6,MEMBER,PAYER1,M1|Dean|2020-05-06
"""
CLAIMS = """claim_id,account_number,site,payer,sequence,frequency,cents,is_answered,member
c1,A1,pediatrics,One,P,1,1000,True,PAYER1|M1|Cora|2019-05-06
c2,A1,pediatrics,Two,S,1,1000,True,PAYER2|N1|Cora|2019-05-06
c3,A2,pediatrics,One,P,1,2000,False,PAYER1|M1|Dean|2020-05-06
"""


@pytest.fixture
def truth(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    for name, text in (("registrations", REGISTRATIONS), ("identifiers", IDENTIFIERS), ("claims", CLAIMS)):
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
    with open_truth(tmp_path, tmp_path / "nothing") as connection:
        yield connection


def test_every_kind_of_truth_is_a_table_and_an_empty_text_is_not_unknown(truth: duckdb.DuckDBPyConnection) -> None:
    assert {name for (name,) in truth.execute("SHOW TABLES").fetchall()} == set(TABLES)
    assert truth.execute("SELECT count(*) FROM registrations WHERE merged_into = ''").fetchall() == [(5,)]
    assert truth.execute("SELECT count(*) FROM visits").fetchall() == [(0,)]


def test_persons_are_those_whom_numbers_merges_and_accounts_join(truth: duckdb.DuckDBPyConnection) -> None:
    keep_known_persons(truth)
    persons = truth.execute(
        "SELECT list(record_key ORDER BY record_key) FROM known_persons GROUP BY person_key ORDER BY ALL"
    ).fetchall()
    assert [members for (members,) in persons] == [
        ["billing|payer1|m1|cora|2019-05-06", "billing|payer2|n1|cora|2019-05-06"],
        ["billing|payer1|m1|dean|2020-05-06"],
        ["card|7", "card|8", "hosp|1"],
        ["hosp|2"],
    ]


def test_pairs_are_what_precision_and_recall_count() -> None:
    held = {"a": "1", "b": "1", "c": "2", "d": "3", "nobody": "3"}
    true = {"a": "x", "b": "y", "c": "x", "d": "z", "elsewhere": "z"}
    assert agreement(true, held) == Agreement(precision=0.0, recall=0.0, review=0)
    assert agreement(held, held) == Agreement(precision=1.0, recall=1.0, review=0)
    assert agreement({"a": "x"}, {"a": "1"}) == Agreement(precision=1.0, recall=1.0, review=0)


def compared(truth: str, warehouse: str, *, cents: bool = False) -> Outcome:
    with duckdb.connect(":memory:") as connection:
        return _outcome(Check("a check", truth, warehouse, "cents" if cents else "count"), connection, connection)


def test_rows_are_compared_one_by_one_whatever_their_sum() -> None:
    outcome = compared("VALUES ('a', 1), ('b', 2)", "VALUES ('a', 2), ('b', 1)")
    assert (outcome.truth, outcome.warehouse) == (3, 3)
    assert not outcome.equal
    assert outcome.unequal == (Line(("a",), 1, 2), Line(("b",), 2, 1))


def test_what_one_side_does_not_know_is_unequal() -> None:
    assert compared("VALUES ('a', 0)", "SELECT 'a', 0 WHERE false").unequal == (Line(("a",), 0, None),)
    assert compared("VALUES ('a', 1)", "VALUES ('a', 1), (NULL, 1)").unequal == (Line(("(none)",), None, 1),)


def test_a_row_that_comes_twice_is_not_lost() -> None:
    assert compared("VALUES ('a', 1)", "VALUES ('a', 1), ('A', 1)").unequal == (Line(("a", "again"), None, 1),)


def test_money_is_compared_in_cents_and_shown_in_dollars() -> None:
    outcome = compared("VALUES ('a', 1234)", "VALUES ('a', 1235)", cents=True)
    assert outcome.unequal == (Line(("a",), Decimal("12.34"), Decimal("12.35")),)


def test_every_check_has_a_name_of_its_own_and_there_are_enough() -> None:
    names = [check.name for check in CHECKS]
    assert len(names) >= 25
    assert len(set(names)) == len(names)


def test_framed_messages_are_sent_as_they_are_and_a_plain_file_is_one(tmp_path: Path) -> None:
    framed, plain = tmp_path / "1.hl7", tmp_path / "2.hl7"
    framed.write_bytes(b"\x0bMSH|one\rPID\x1c\r\x0bMSH|cut of\x1c\r")
    plain.write_bytes(b"MSH|three\r")
    assert list(messages([framed, plain])) == [b"MSH|one\rPID", b"MSH|cut of", b"MSH|three\r"]


def test_a_name_of_two_words_misspelt_in_the_second_is_a_record_of_its_own(tmp_path: Path) -> None:
    registrations = REGISTRATIONS.splitlines()[0] + "\nr1,p1,pediatrics,billing,P1,,Valdez,Juan Carlos,2023-01-16\n"
    members = "r1,MEMBER,PAYER1,M1|Juan Crlos|2023-01-16\nr1,MEMBER,PAYER1,M1|Juan Carlos|2023-01-16\n"
    (tmp_path / "registrations.csv").write_text(registrations, encoding="utf-8")
    (tmp_path / "identifiers.csv").write_text(IDENTIFIERS.splitlines()[0] + f"\n{members}", encoding="utf-8")
    with open_truth(tmp_path, tmp_path / "nothing") as truth:
        keep_known_persons(truth)
        assert truth.execute("SELECT record_key FROM known_persons ORDER BY ALL").fetchall() == [
            ("billing|payer1|m1|juan carlos|2023-01-16",),
            ("billing|payer1|m1|juan crlos|2023-01-16",),
        ]
