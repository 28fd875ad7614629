"""The patients of one account meet: of its claims and of the remittances that answer them, in any order of arrival."""

from __future__ import annotations

import threading
from itertools import permutations

from connectors.connector import Fact, Origin
from connectors.x12.connector import X12Connector
from ehr_pm.identity import crosswalk
from ehr_pm.record.apply import apply
from ehr_pm.record.entry import Entry
from hub_core.database import Database, UnitOfWork
from tests.integration.test_crosswalk import wait_until_somebody_waits
from tests.unit.connectors.x12.interchanges import REMITTANCE_VERSION, interchange, transaction_set

BEGIN = ("BHT*0019*00*1*20250401*0930*CH", "HL*1**20*1", "NM1*85*2*CLINIC*****XX*1234567893")
CHILD = ("HL*3*2*23*0", "PAT*19", "NM1*QC*1*DOE*KIT", "DMG*D8*20150606*M")
SIBLING = ("HL*3*2*23*0", "PAT*19", "NM1*QC*1*DOE*LOU", "DMG*D8*20120131*F")
CHARGED = ("CLM*C1*100***11:B:1*Y*A*Y*Y", "HI*ABK:J069", "LX*1", "SV1*HC:99213*100*UN*1***1")


def claim(responsibility: str, member: str, payer: str, patient: tuple[str, ...] = CHILD) -> bytes:
    asked = (f"SBR*{responsibility}********CI", f"NM1*IL*1*DOE*JO****MI*{member}", f"NM1*PR*2*PLAN*****PI*{payer}")
    return interchange(transaction_set(*BEGIN, "HL*2*1*22*1", *asked, *patient, *CHARGED))


def remittance(status: str, member: str, payer: str, payee: str = "1234567893") -> bytes:
    return interchange(
        transaction_set(
            "BPR*I*60*C*ACH************20250512", f"TRN*1*E{payer}*1999999999", f"N1*PR*PLAN*XV*{payer}",
            f"N1*PE*CLINIC*XX*{payee}", "LX*1", f"CLP*C1*{status}*100*60*0*12*I{payer}*11*1", "CAS*CO*45*40",
            "NM1*QC*1*DOE*KIT", f"NM1*IL*1*DOE*JO****MI*{member}",
            st01="835",
        ),
        version=REMITTANCE_VERSION,
    )  # fmt: skip


ACCOUNT = (
    claim("P", "M1", "P1"), remittance("1", "M1", "P1"), claim("S", "M2", "P2"), remittance("2", "M2", "P2"),
)  # fmt: skip


def facts(body: bytes, source: str) -> tuple[Fact, ...]:
    (outcome,) = X12Connector().convert(body, Origin(source, zone="America/Chicago"))
    assert outcome.state == "processed"
    return outcome.facts


def tell(unit: UnitOfWork, body: bytes, source: str) -> None:
    """Write what `body` says, as the worker does."""
    said = facts(body, source)
    entries = [
        Entry(fact.resource, source, fact.source_id, event_at=fact.event_at, authority=fact.authority) for fact in said
    ]
    apply(unit.driver, entries)
    crosswalk.observe(unit.driver, [fact.resource for fact in said])


def persons(database: Database, source: str, given: str) -> tuple[int, int]:
    """Return how many patients of a source have this first name, and how many persons they are."""
    with database.begin() as unit:
        row = unit.driver.execute(
            "SELECT count(*), count(DISTINCT person_id) FROM person_member"
            " JOIN resource ON resource_id = person_member.patient_id AND resource_type = 'Patient'"
            " JOIN search_string USING (resource_key)"
            " WHERE valid_to IS NULL AND source = %s AND param = 'given' AND value = %s",
            (source, given),
        ).fetchone()
    assert row is not None
    return row[0], row[1]


def test_in_any_order_the_patients_of_an_account_are_one_person(database: Database) -> None:
    for number, order in enumerate(permutations(ACCOUNT)):
        for body in order:
            with database.begin() as unit:
                tell(unit, body, f"office-{number}")
        assert persons(database, f"office-{number}", "kit") == (4, 1)


def test_a_sibling_under_the_same_number_stays_somebody_else(database: Database) -> None:
    for body in (*ACCOUNT, claim("T", "M1", "P1", SIBLING)):
        with database.begin() as unit:
            tell(unit, body, "office")
    assert persons(database, "office", "kit") == (4, 1)
    with database.begin() as unit:
        shared = unit.driver.execute(
            "SELECT person_member.person_id FROM person_member JOIN resource ON resource_id = person_member.patient_id"
            " JOIN search_string USING (resource_key) WHERE valid_to IS NULL AND param = 'given'"
            " GROUP BY person_member.person_id HAVING count(DISTINCT value) > 1"
        ).fetchall()
    assert shared == []


def test_the_same_number_at_another_source_says_nothing(database: Database) -> None:
    with database.begin() as unit:
        tell(unit, ACCOUNT[0], "office")
        tell(unit, ACCOUNT[1], "other-office")
    with database.begin() as unit:
        found = unit.driver.execute(
            "SELECT count(DISTINCT person_id) FROM person_member"
            " JOIN resource ON resource_id = person_member.patient_id JOIN search_string USING (resource_key)"
            " WHERE valid_to IS NULL AND param = 'given' AND value = 'kit'"
        ).fetchone()
    assert found == (2,)


def test_a_claim_and_its_answer_that_come_at_one_moment_still_meet(database: Database) -> None:
    """They share nothing but the number: neither waits for a payer or a clinic that the other writes."""
    answer = remittance("1", "M9", "P9", payee="1999999984")
    answering = threading.Thread(target=_tell_alone, args=(database, answer))
    with database.begin() as unit:
        tell(unit, ACCOUNT[0], "office")
        answering.start()
        wait_until_somebody_waits(database)
    answering.join()
    assert persons(database, "office", "kit") == (2, 1)


def _tell_alone(database: Database, body: bytes) -> None:
    with database.begin() as unit:
        tell(unit, body, "office")
