"""A small group made up for these tests, all its numbers known beforehand.

Its published warehouse is shaped by the marts' own contracts, so that a renamed column fails here first.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import yaml

from hub_core.access import ACTIONS
from hub_core.snapshot import POINTER

MARTS = Path(__file__).parents[3] / "dbt" / "models" / "marts"
SNAPSHOT = "warehouse-test.duckdb"
TODAY = datetime.now(UTC).date()

PERSON = "0198a000-0000-7000-8000-000000000001"
SESSION = "session-of-the-administrator"

Row = dict[str, Any]


def patients() -> list[Row]:
    return [
        {
            "person_id": f"person-{number}",
            "full_name": f"Nobody {number}",
            "sources": ["hospital", "clinic"] if number < 2 else ["clinic"],
            "locations": ["Riverbend"] if number < 4 else ["Oakdale"],
            "patient_count": 2 if number < 2 else 1,
        }
        for number in range(6)
    ]


def patient_records() -> list[Row]:
    """Two records at the hospital and seven at the clinic, one of them merged away and one a stub."""
    hospital = [("hospital", "Riverbend", number, False, False) for number in range(2)]
    clinic = [("clinic", "Riverbend" if number < 4 else "Oakdale", number, False, number == 5) for number in range(6)]
    return [
        {
            "patient_record_id": f"{source}-{number}",
            "person_id": f"person-{number}",
            "source": source,
            "location": location,
            "is_merged": is_merged,
            "is_stub": is_stub,
        }
        for source, location, number, is_merged, is_stub in [*hospital, *clinic]
    ]


def encounters() -> list[Row]:
    return [
        {
            "encounter_id": f"encounter-{number}",
            "status": "cancelled" if number == 4 else "finished",
            "class_code": ("AMB", "EMER", "IMP", None)[number % 4],
            "class_name": ("ambulatory", "emergency", "inpatient encounter", None)[number % 4],
            "source": "hospital" if number % 4 else "clinic",
            "location": "Riverbend" if number % 3 else "Oakdale",
            "started_date": TODAY - timedelta(days=9 * number),
        }
        for number in range(60)
    ]


def lab_results() -> list[Row]:
    tests = ["Hemoglobin A1c", "Glucose", "Creatinine", "Potassium", "Sodium", "Hemoglobin", "LDL cholesterol"]
    return [
        {
            "lab_result_id": f"result-{number}",
            "test_name": tests[min(number % 11, 6)],
            "source": "hospital",
            "location": "Riverbend",
            "is_abnormal": number % 5 == 0,
            "collected_at": datetime.now(UTC) - timedelta(days=number),
        }
        for number in range(90)
    ]


def appointments() -> list[Row]:
    return [
        {
            "appointment_id": f"appointment-{number}",
            "status": ("booked", "fulfilled", "fulfilled", "cancelled", "noshow")[number % 5],
            "is_no_show": number % 5 == 4,
            "is_cancelled": number % 5 == 3,
            "practitioner_name": ("Dr. Adams", "Dr. <b>Baker</b>", None)[number % 3],
            "source": "clinic",
            "location": "Riverbend" if number % 2 else "Oakdale",
            "starts_date": TODAY - timedelta(days=number),
        }
        for number in range(25)
    ]


def no_shows() -> list[Row]:
    """Every missed appointment; persons 0 and 1 were not seen again, one of them twice."""
    missed = [row for row in appointments() if row["is_no_show"]]
    return [
        {
            "no_show_id": row["appointment_id"],
            "person_id": f"person-{number % 3}",
            "practitioner_name": row["practitioner_name"],
            "days_booked_ahead": (3, 12, 40, 120, None)[number],
            "is_seen_again": number % 3 == 2,
            "source": row["source"],
            "location": row["location"],
            "starts_date": row["starts_date"],
        }
        for number, row in enumerate(missed)
    ]


def claims() -> list[Row]:
    return [
        {
            "claim_id": f"claim-{number}",
            "payer_name": ("Prairie Health Plan", "State Medicaid", '=HYPERLINK("x")')[number % 3],
            "source": "billing",
            "location": "Oakdale",
            "billed_amount": Decimal("212.10"),
            "service_start_date": TODAY - timedelta(days=5 * number),
        }
        for number in range(12)
    ]


def claim_payments() -> list[Row]:
    """Twelve answers: two denied, one left whole to the patient, the others paid in part."""
    answers: list[Row] = []
    for number in range(12):
        denied, deductible = number in (3, 7), number == 5
        left = "0" if denied else "180.00" if deductible else "12.03"
        answers.append(
            {
                "claim_payment_id": f"payment-{number}",
                "payer_name": ("Prairie Health Plan", "State Medicaid", '=HYPERLINK("x")')[number % 3],
                "source": "billing",
                "location": "Oakdale",
                "disposition": "denied" if number == 3 else "processed as primary",
                "billed_amount": Decimal("212.10"),
                "paid_amount": Decimal(0) if denied or deductible else Decimal("150.05"),
                "patient_responsibility_amount": Decimal(left),
                "is_zero_paid": denied or deductible,
                "payment_date": TODAY - timedelta(days=number),
            }
        )
    return answers


def charges() -> list[Row]:
    """Twelve claim lines and, at Riverbend, four charges on account, one of them taken back."""
    lines = [
        {
            "charge_id": f"line-{row['claim_id']}",
            "payer_name": row["payer_name"],
            "charge_kind": "claim_line",
            "source": "billing",
            "location": "Oakdale",
            "billed_amount": row["billed_amount"],
            "service_date": row["service_start_date"],
        }
        for row in claims()
    ]
    account = [
        {
            "charge_id": f"account-{number}",
            "payer_name": None,
            "charge_kind": "account",
            "source": "clinic",
            "location": "Riverbend",
            "billed_amount": Decimal(amount),
            "service_date": TODAY - timedelta(days=2),
        }
        for number, amount in enumerate(("100.10", "50.05", "25.00", "-25.00"))
    ]
    return lines + account


def payments() -> list[Row]:
    """What the insurers' answers paid, a takeback of a provider adjustment, and two payments of patients."""
    paid = [
        {
            "payment_id": f"payment-{row['claim_payment_id']}",
            "payment_kind": "insurer",
            "payer_name": row["payer_name"],
            "source": "billing",
            "location": "Oakdale",
            "paid_amount": row["paid_amount"],
            "payment_date": row["payment_date"],
        }
        for row in claim_payments()
        if row["paid_amount"]
    ]
    others = [("provider_adjustment", "State Medicaid", "-5.05"), ("patient", None, "20.00"), ("patient", None, "1.01")]
    return paid + [
        {
            "payment_id": f"other-{number}",
            "payment_kind": kind,
            "payer_name": payer,
            "source": "billing" if payer else "clinic",
            "location": "Oakdale" if payer else "Riverbend",
            "paid_amount": Decimal(amount),
            "payment_date": TODAY,
        }
        for number, (kind, payer, amount) in enumerate(others)
    ]


def claim_adjustments() -> list[Row]:
    reasons = [("CO", "45", "40.02"), ("PR", "1", "12.03"), ("CO", "45", "-40.02"), ("OA", "999", "7.00")]
    return [
        {
            "claim_adjustment_id": f"adjustment-{number}",
            "payer_name": "Prairie Health Plan",
            "group_code": group,
            "reason_code": reason,
            "source": "billing",
            "location": "Oakdale",
            "adjusted_amount": Decimal(amount),
            "is_reversal": amount.startswith("-"),
            "payment_date": TODAY - timedelta(days=number),
        }
        for number, (group, reason, amount) in enumerate(reasons)
    ]


def account_adjustments() -> list[Row]:
    return [
        {
            "account_adjustment_id": "written-off",
            "payer_name": None,
            "group_code": None,
            "reason_code": "SMALL",
            "source": "clinic",
            "location": "Riverbend",
            "adjusted_amount": Decimal("4.99"),
            "adjusted_date": TODAY,
        }
    ]


def denials() -> list[Row]:
    """Five denied lines of two payers for two reasons, the first of them paid later."""
    return [
        {
            "denial_id": f"denial-{number}",
            "person_id": f"person-{number}",
            "payer_name": ("Prairie Health Plan", "State Medicaid")[number % 2],
            "group_code": "CO",
            "reason_code": "197" if number < 3 else "16",
            "source": "billing",
            "location": "Oakdale",
            "denied_amount": Decimal("10.10") * (number + 1),
            "is_overturned": number == 0,
            "denied_date": TODAY - timedelta(days=40 * number),
        }
        for number in range(5)
    ]


def receivables() -> list[Row]:
    """One account of every age at one payer, the last with a part left to the patient, and one that is settled."""
    ages = (0, 30, 31, 60, 61, 90, 91, 120, 121, 400)
    owed = [
        {
            "receivable_id": f"receivable-{age}",
            "payer_name": "Prairie Health Plan" if age < 100 else "State Medicaid",
            "source": "billing",
            "location": "Oakdale",
            "billed_amount": Decimal("30.05"),
            "payer_open_amount": Decimal("20.03"),
            "patient_open_amount": Decimal("10.02") if age == 400 else Decimal(0),
            "open_amount": Decimal("30.05") if age == 400 else Decimal("20.03"),
            "aged_from_date": TODAY - timedelta(days=age),
        }
        for age in ages
    ]
    settled = owed[0] | {"receivable_id": "settled", "payer_open_amount": Decimal(0), "open_amount": Decimal(0)}
    return [*owed, settled]


def findings() -> list[Row]:
    kinds = ("repeated", "repeated", "out_of_order", "late", "rejected", "event_after_message")
    return [
        {
            "finding_id": f"finding-{number}",
            "finding_kind": kind,
            "feed": "clinic-siu" if number == 1 else "hospital-adt",
            "source": "clinic" if number == 1 else "hospital",
            "location": "Riverbend",
            "found_at": datetime.now(UTC) - timedelta(hours=number),
        }
        for number, kind in enumerate(kinds)
    ]


def feed_activity() -> list[Row]:
    return [
        {
            "feed_activity_id": f"{feed}|{day}",
            "feed": feed,
            "source": source,
            "location": "Riverbend",
            "messages": 10 + day % 7,
            "records": 10 + day % 7,
            "repeated": int(feed == "clinic-siu" and day == 0),
            "out_of_order": 0,
            "late": None,
            "processed": 9 + day % 7,
            "filtered": 0,
            "rejected": int(day % 6 == 0),
            "waiting": 0,
            "longest_lag_seconds": 0.4,
            "received_date": TODAY - timedelta(days=day),
        }
        for feed, source in (("hospital-adt", "hospital"), ("clinic-siu", "clinic"))
        for day in range(20)
    ]


def checks() -> list[Row]:
    return [
        {
            "engine": "dbt" if number else "great_expectations",
            "subject": f"model-{number}",
            "check_name": "is unique",
            "severity": "warning" if number == 2 else "error",
            "is_passed": number != 2,
            "rows_checked": None if number else 56,
        }
        for number in range(4)
    ]


MARTS_FILLED = {
    "patients": patients(),
    "patient_records": patient_records(),
    "encounters": encounters(),
    "lab_results": lab_results(),
    "appointments": appointments(),
    "no_shows": no_shows(),
    "claims": claims(),
    "claim_payments": claim_payments(),
    "claim_adjustments": claim_adjustments(),
    "account_adjustments": account_adjustments(),
    "charges": charges(),
    "payments": payments(),
    "denials": denials(),
    "receivables": receivables(),
    "feed_activity": feed_activity(),
    "findings": findings(),
}


def publish(
    folder: Path,
    name: str = SNAPSHOT,
    *,
    is_filled: bool = True,
    built_at: datetime | None = None,
    marts: Sequence[str] = tuple(MARTS_FILLED),
) -> None:
    """Write a snapshot and move the pointer to it, as a build does; not filled, its marts are empty."""
    folder.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(folder / name)) as connection:
        connection.execute("CREATE SCHEMA marts; CREATE SCHEMA quality")
        for mart in marts:
            _write(connection, f"marts.{mart}", _contract(mart), MARTS_FILLED[mart] if is_filled else [])
        # Written as the build writes it, by hand: the dashboards and their tests know the build by its tables only.
        kept = {"engine": "varchar", "subject": "varchar", "check_name": "varchar", "severity": "varchar"}
        _write(connection, "quality.checks", kept | {"is_passed": "boolean", "rows_checked": "bigint"}, checks())
    said = {"built_at": (built_at or datetime.now(UTC)).isoformat(), "fingerprint": "test", "last_seq": 1}
    (folder / name).with_suffix(".json").write_text(json.dumps(said), encoding="utf-8")
    (folder / POINTER).write_text(f"{name}\n", encoding="utf-8")


def _contract(mart: str) -> dict[str, str]:
    """Return the columns and types a mart promises."""
    described = yaml.safe_load((MARTS / f"{mart}.yml").read_text(encoding="utf-8"))
    return {column["name"]: column["data_type"] for column in described["models"][0]["columns"]}


def _write(connection: duckdb.DuckDBPyConnection, relation: str, columns: dict[str, str], rows: list[Row]) -> None:
    connection.execute(f"CREATE TABLE {relation} ({', '.join(f'{name} {kind}' for name, kind in columns.items())})")
    if not rows:
        return
    given = list(rows[0])
    marks = ", ".join("?" for _ in given)
    connection.executemany(
        f"INSERT INTO {relation} ({', '.join(given)}) VALUES ({marks})", [list(row.values()) for row in rows]
    )


def visitor(name: str, *actions: str, at: list[str] | None = None) -> Row:
    """Return what the API says of somebody who may do these actions, all when none are named."""
    return {"name": name, "actions": list(actions or ACTIONS), "report_locations": at}


def person() -> Row:
    return {
        "person_id": PERSON,
        "name": "Maria <b>Delgado</b>",
        "birth_date": "1958-04-12",
        "gender": "female",
        "patients": [
            {
                "patient_id": "p1",
                "source": "hospital",
                "location": "Riverbend",
                "identifiers": [{"system": "urn:hospital", "value": "10001"}],
            },
            {"patient_id": "p2", "source": "clinic", "location": None, "identifiers": []},
        ],
    }


def chart() -> Row:
    kinds = [
        ("Encounter", "Encounter", "Office visit", None, "finished"),
        ("Observation", "Lab result", "Hemoglobin A1c", "7.2 % (high, 4.0–5.6)", "final"),
        ("Condition", "Problem", "Type 2 diabetes mellitus", "E11.9", "active"),
        ("Immunization", "Immunization", "Influenza vaccine", "<script>alert(1)</script>", "completed"),
    ]
    facts = []
    for number in range(90):
        resource_type, category, title, detail, status = kinds[number % 4]
        facts.append(
            {
                "resource_type": resource_type,
                "resource_id": f"resource-{number}",
                "version": 1,
                "date": (date(2026, 1, 8) - timedelta(days=11 * (number // 3))).isoformat(),
                "category": category,
                "title": f"{title} {number}",
                "detail": detail,
                "status": status,
                "source": "hospital" if number % 3 else "clinic",
                "location": "Riverbend",
                "feed": "hospital-adt" if number % 3 else "clinic-siu",
                "message_id": f"0198a000-0000-7000-8000-0000000000{number:02}",
                "received_at": "2026-01-08T15:00:00Z",
            }
        )
    return {"person": person(), "patients": person()["patients"], "facts": facts, "as_of": "2026-01-08T15:00:00Z"}


def feeds() -> list[Row]:
    return [
        {
            "feed": "hospital-adt",
            "source": "hospital",
            "format": "hl7v2",
            "received": 240,
            "processed": 230,
            "filtered": 2,
            "rejected": 5,
            "waiting": 3,
            "last_received_at": (datetime.now(UTC) - timedelta(minutes=4)).isoformat(),
            "oldest_waiting_seconds": 720.5,
        },
        {
            "feed": "clinic-siu",
            "source": "clinic",
            "format": "hl7v2",
            "received": 0,
            "processed": 0,
            "filtered": 0,
            "rejected": 0,
            "waiting": 0,
            "last_received_at": None,
            "oldest_waiting_seconds": None,
        },
    ]


def rejects() -> list[Row]:
    return [
        {
            "reject_id": f"reject-{number}",
            "message_id": None if number else "0198a000-0000-7000-8000-000000000099",
            "input": "monday.hl7",
            "position": number,
            "kind": "record",
            "severity": "error",
            "code": "structure",
            "reason": "=the segment PID is missing" if number else "a date of birth in the year 2099",
            "location": f"PID-7, message {number}",
            "created_at": "2026-01-08T15:00:00+00:00",
        }
        for number in range(5)
    ]


def denial_rows() -> Row:
    """Return the API's answer about the rows of a mart: two denials, the second about nobody in particular."""
    kinds = {
        "denial_id": "VARCHAR",
        "person_id": "VARCHAR",
        "payer_name": "VARCHAR",
        "denied_amount": "DECIMAL(18,2)",
        "is_overturned": "BOOLEAN",
        "denied_date": "DATE",
        "source": "VARCHAR",
        "location": "VARCHAR",
        "recorded_at": "TIMESTAMP WITH TIME ZONE",
    }
    rows = [
        [f"denial-{number}", person, payer, "12.10", False, "2026-01-05", "billing", "Oakdale", "2026-01-06T10:00:00Z"]
        for number, (person, payer) in enumerate(((PERSON, "Prairie"), (None, "=cmd()")))
    ]
    return {
        "mart": "denials",
        "key": "denial_id",
        "columns": [{"name": name, "type": kind} for name, kind in kinds.items()],
        "total": 250,
        "rows": [dict(zip(kinds, row, strict=True)) for row in rows],
        "people": [{"name": "Maria Delgado", "birth_date": "1958-04-12", "phone": "555-0100"}, None],
    }


def denial_trace() -> Row:
    """Return the API's answer about what a denial was made from."""
    message = {
        "message_id": "0198a000-0000-7000-8000-000000000077",
        "feed": "billing",
        "kind": "835",
        "input": "000017.835",
        "record": 2,
        "received_at": "2026-01-06T10:00:00Z",
        "text": "CLP*7*4*12.10*0~CAS*CO*197*12.10~<script>",
        "is_whole": False,
    }
    version = {"version": 3, "source": "billing", "location": "Oakdale", "recorded_at": "2026-01-06T10:00:00Z"}
    return {
        "mart": "denials",
        "key": "denial-0",
        "resources": [
            {"reference": "ExplanationOfBenefit/e1", "versions": [version | {"message": message}]},
            {"reference": "Organization/o1", "versions": [version | {"message": None}]},
        ],
        "messages": [message | {"text": "whole", "is_whole": True}],
    }
