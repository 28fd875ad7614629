"""Eligibility inquiries: what is asked about whom, in an interchange that any receiver can read."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from io import BytesIO

from connectors.connector import Piece
from connectors.x12.connector import X12Connector
from connectors.x12.inquiry import Inquiry, Requestor, write_inquiry
from connectors.x12.transaction import read_transaction

ASKED = Inquiry(
    trace="0195AB00C0DE70008000",
    written_at=datetime(2026, 3, 2, 14, 5, tzinfo=UTC),
    requestor=Requestor("Riverbend", npi="1234567893"),
    payer_number="PRMUT1",
    member_id="M123",
    family="Núñez",
    given="Ana",
    birth_date=date(1980, 2, 14),
    requested_for=date(2026, 3, 10),
)


def lines(inquiry: Inquiry) -> list[str]:
    return ["*".join(segment.elements) for segment in read_transaction(write_inquiry(inquiry)).segments]


def test_a_subscriber_is_asked_about_for_the_day_of_the_visit() -> None:
    assert lines(ASKED) == [
        "ST*270*0001*005010X279A1",
        "BHT*0022*13*0195AB00C0DE70008000*20260302*1405",
        "HL*1**20*1",
        "NM1*PR*2******PI*PRMUT1",
        "HL*2*1*21*1",
        "NM1*1P*2*RIVERBEND*****XX*1234567893",
        "HL*3*2*22*0",
        "TRN*1*0195AB00C0DE70008000*9WHOLECHAR",
        "NM1*IL*1*NUNEZ*ANA****MI*M123",
        "DMG*D8*19800214",
        "DTP*291*D8*20260310",
        "EQ*30",
        "SE*13*0001",
    ]


def test_a_dependent_is_asked_about_under_the_subscriber() -> None:
    child = replace(ASKED, relationship="child", subscriber_family="Núñez", subscriber_given="Eva")
    found = lines(child)
    assert found[6:13] == [
        "HL*3*2*22*1",
        "NM1*IL*1*NUNEZ*EVA****MI*M123",
        "HL*4*3*23*0",
        "TRN*1*0195AB00C0DE70008000*9WHOLECHAR",
        "NM1*03*1*NUNEZ*ANA",
        "DMG*D8*19800214",
        "INS*N*19",
    ]
    assert found[-1] == "SE*16*0001"


def test_nothing_that_is_said_can_break_out_of_its_element() -> None:
    hostile = lines(replace(ASKED, family="A*B~C:D^E\n", member_id="~IEA*1~"))
    assert hostile[8] == "NM1*IL*1*A B C D E*ANA****MI*IEA 1"


def test_a_receiver_cuts_one_whole_set_from_it() -> None:
    pieces = list(X12Connector().cut(BytesIO(write_inquiry(ASKED)), limit=1 << 20))
    assert [type(each) for each in pieces] == [Piece]
    assert read_transaction(write_inquiry(ASKED)).version == "005010X279A1"
    assert len(write_inquiry(ASKED).partition(b"GS*")[0]) == 106
