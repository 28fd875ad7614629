"""A small group made up for these tests, all its numbers known beforehand.

Its published warehouse is shaped by the marts' own contracts, so that a renamed column fails here first.
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import yaml

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
    return [{"patient_id": f"h{number}", "source": "hospital", "location": "Riverbend"} for number in range(2)] + [
        {"patient_id": f"c{number}", "source": "clinic", "location": "Riverbend" if number < 4 else "Oakdale"}
        for number in range(6)
    ]


def encounters() -> list[Row]:
    return [
        {
            "encounter_id": f"encounter-{number}",
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
            "source": "clinic",
            "location": "Riverbend" if number % 2 else "Oakdale",
            "starts_date": TODAY - timedelta(days=number),
        }
        for number in range(25)
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


def feed_activity() -> list[Row]:
    return [
        {
            "feed_activity_id": f"{feed}|{day}",
            "feed": feed,
            "source": source,
            "location": "Riverbend",
            "messages": 10 + day % 7,
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


def publish(folder: Path) -> None:
    """Write the snapshot and move the pointer to it, as a build does."""
    folder.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(folder / SNAPSHOT)) as connection:
        connection.execute("CREATE SCHEMA marts; CREATE SCHEMA staging; CREATE SCHEMA quality")
        for mart, rows in (
            ("patients", patients()),
            ("encounters", encounters()),
            ("lab_results", lab_results()),
            ("appointments", appointments()),
            ("claims", claims()),
            ("claim_payments", claim_payments()),
            ("feed_activity", feed_activity()),
        ):
            _write(connection, f"marts.{mart}", _contract(mart), rows)
        records = {"patient_id": "varchar", "source": "varchar", "location": "varchar"}
        _write(connection, "staging.stg_patients", records, patient_records())
        # Written as the build writes it, by hand: the dashboards and their tests know the build by its tables only.
        kept = {"engine": "varchar", "subject": "varchar", "check_name": "varchar", "severity": "varchar"}
        _write(connection, "quality.checks", kept | {"is_passed": "boolean", "rows_checked": "bigint"}, checks())
    said = {"built_at": datetime.now(UTC).isoformat(), "fingerprint": "test", "last_seq": 1}
    (folder / SNAPSHOT).with_suffix(".json").write_text(json.dumps(said), encoding="utf-8")
    (folder / POINTER).write_text(f"{SNAPSHOT}\n", encoding="utf-8")


def _contract(mart: str) -> dict[str, str]:
    """Return the columns and types a mart promises."""
    described = yaml.safe_load((MARTS / f"{mart}.yml").read_text(encoding="utf-8"))
    return {column["name"]: column["data_type"] for column in described["models"][0]["columns"]}


def _write(connection: duckdb.DuckDBPyConnection, relation: str, columns: dict[str, str], rows: list[Row]) -> None:
    connection.execute(f"CREATE TABLE {relation} ({', '.join(f'{name} {kind}' for name, kind in columns.items())})")
    given = list(rows[0])
    marks = ", ".join("?" for _ in given)
    connection.executemany(
        f"INSERT INTO {relation} ({', '.join(given)}) VALUES ({marks})", [list(row.values()) for row in rows]
    )


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
