"""The truth files of a simulated group as tables, every column with its type."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType

import duckdb

TABLES = MappingProxyType(
    {
        "persons": "person_id, household INTEGER, family, given, gender, birth_date DATE, mother_id, traits",
        "registrations": "registration_id, person_id, site, source, mrn, merged_into, family, given, birth_date DATE",
        "identifiers": "registration_id, kind, assigner, value",
        "visits": (
            "visit_id, registration_id, person_id, site, visit_class, status, started_at TIMESTAMPTZ,"
            " ended_at TIMESTAMPTZ"
        ),
        "bookings": "booking_id, registration_id, site, clinician, status, starts_at TIMESTAMPTZ",
        "reports": "report_id, registration_id, site",
        "results": "result_id, report_id, registration_id, site, loinc, value, unit, flag, is_corrected BOOLEAN",
        "vaccinations": "vaccination_id, registration_id, site, cvx, status, given_on DATE",
        "problems": "problem_id, registration_id, site, icd10, kind, is_active BOOLEAN",
        "prescriptions": "prescription_id, registration_id, site, rxnorm, is_active BOOLEAN",
        "allergies": "allergy_id, registration_id, site, code",
        "charges": (
            "charge_id, site, registration_id, payer, charge_kind, code, units INTEGER, cents BIGINT, service_on DATE"
        ),
        "payments": "payment_key, site, payment_kind, payer, reason_code, cents BIGINT, paid_on DATE",
        "adjustments": "answer_id, site, payer, group_code, reason_code, cents BIGINT, is_reversal BOOLEAN",
        "account_adjustments": "entry_id, site, payer, group_code, reason_code, cents BIGINT",
        "claims": (
            "claim_id, account_number, site, payer, sequence, frequency, cents BIGINT, is_answered BOOLEAN, member"
        ),
        "answers": (
            "answer_id, account_number, claim_id, site, payer, status, charged_cents BIGINT, paid_cents BIGINT,"
            " patient_responsibility_cents BIGINT, is_reversal BOOLEAN"
        ),
        "denials": (
            "denial_id, site, payer, account_number, line_number, group_code, reason_code, cents BIGINT,"
            " is_overturned BOOLEAN"
        ),
        "receivables": (
            "account, site, payer, receivable_kind, billed_cents BIGINT, paid_cents BIGINT, adjusted_cents BIGINT,"
            " payer_open_cents BIGINT, patient_open_cents BIGINT, aged_from DATE"
        ),
        "eligibility": "answer_id, site, payer, is_active BOOLEAN, service_on DATE",
        "coverages": "coverage_id, site, payer, rank INTEGER, relationship",
        "merges": "merge_id, site, is_standing BOOLEAN",
        "refusals": "attempt, site, tried, reason",
        "heard": "key, subject, status INTEGER, answer_id, number",
        "messages": "feed, sent BIGINT, repeated BIGINT, rejected BIGINT, processed BIGINT",
        "faults": "fault_id, finding_kind, feed, control_id, subject",
    }
)
"""Columns of each file by its name; those without a type are texts, empty where nothing is said."""

_EMPTY = {"VARCHAR": " DEFAULT ''"}


def open_truth(*folders: Path) -> duckdb.DuckDBPyConnection:
    """Return a connection in which every kind of truth is a table, with the rows of all folders.

    A kind that nothing was said about has no file, and is an empty table.
    """
    connection = duckdb.connect(":memory:", config={"threads": 2})
    connection.execute("SET TimeZone = 'UTC'")
    for table, description in TABLES.items():
        columns = _columns(description)
        described = (f"{name} {kind}{_EMPTY.get(kind, '')}" for name, kind in columns.items())
        connection.execute(f"CREATE TABLE {table} ({', '.join(described)})")
        for file in (folder / f"{table}.csv" for folder in folders):
            if file.exists():
                _read(connection, table, columns, file)
    return connection


def _read(connection: duckdb.DuckDBPyConnection, table: str, columns: dict[str, str], file: Path) -> None:
    with file.open(encoding="utf-8") as stream:
        stated = {name: columns[name] for name in next(stream).rstrip("\n").split(",") if name in columns}
    connection.execute(
        f"INSERT INTO {table} BY NAME SELECT {', '.join(stated)} FROM read_csv($file, header = true,"  # noqa: S608
        " types = $types, delim = ',', quote = '\"', escape = '\"', nullstr = '', force_not_null = $texts)",
        {
            "file": str(file),
            "types": stated,
            "texts": [name for name, kind in stated.items() if kind == "VARCHAR"],
        },
    )


def _columns(description: str) -> dict[str, str]:
    words = [column.split() for column in description.split(", ")]
    return {word[0]: word[1] if len(word) > 1 else "VARCHAR" for word in words}
