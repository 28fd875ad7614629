"""Finds every resource, person and account whose rows of the marts may differ by what has changed.

Each table of the schema `scope` holds ids. A row of a mart is made anew if the resource it is of has changed, or what
it looks up has; rows that are made of many resources are made anew together with all of those. Too wide costs time, too
narrow would be wrong: what is compared here is both how it was before and how it is now.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True, slots=True)
class Subject:
    """A type of resource that rows of marts are of, one by one."""

    resource: str
    view: str
    """Its view, which bears its references."""
    others: tuple[str, ...] = ()
    """More views of the same resources."""

    @property
    def key(self) -> str:
        """Return the column of its views that has the id of the resource."""
        return "payment_reconciliation_id" if self.resource == "PaymentReconciliation" else f"{self.view}_id"


_EXPLANATION = "explanation_of_benefit"
SUBJECTS = (
    Subject("Appointment", "appointment"),
    Subject("ChargeItem", "charge_item"),
    Subject("Claim", "claim", ("claim_item",)),
    Subject("Condition", "condition"),
    Subject("CoverageEligibilityResponse", "coverage_eligibility_response"),
    Subject("Encounter", "encounter"),
    Subject(
        "ExplanationOfBenefit",
        _EXPLANATION,
        tuple(f"{_EXPLANATION}_{part}" for part in ("adjudication", "item", "item_adjudication", "total")),
    ),
    Subject("Immunization", "immunization"),
    Subject("MedicationRequest", "medication_request"),
    Subject("Observation", "observation", ("observation_component",)),
    Subject("PaymentReconciliation", "payment_reconciliation_detail"),
)

LOOKUPS = ("organization", "practitioner", "location", "medication", "coverage")
"""Views that marts look names and codes up in."""

REPORTED = "diagnostic_report_id, category_code, observation_ids"
"""What marts read of a report: one that says the same of this again moves none of its results."""
SEEN_BEFORE = {
    **dict.fromkeys((*LOOKUPS, "linkage"), "*"),
    "charge_item": "encounter_id, source, account_number, patient_id",
    "claim": "claim_id, source, patient_control_number",
    "diagnostic_report": REPORTED,
    _EXPLANATION: f"claim_id, {_EXPLANATION}_id, source, patient_control_number, payer_control_number",
    "payment_reconciliation_detail": "encounter_id, source, paying_patient_id, explanation_of_benefit_id",
}
"""Views of which it is asked what their rows were, and the columns that are asked for."""
SEEN_WHOLE = frozenset(
    view for subject in SUBJECTS for view in (subject.view, *subject.others) if view != "payment_reconciliation_detail"
)
"""Views of which nobody asks for the new rows alone."""

_ENVELOPE = "version, message_id, message_position, event_at, authority, recorded_at, first_event_at, first_recorded_at"

_PERSONS = """
CREATE TABLE scope.touched AS
WITH said AS (
    SELECT resource_id AS patient_id FROM changed.resource WHERE resource_type = 'Patient'
    UNION SELECT patient_id FROM before.crosswalk UNION SELECT patient_id FROM after.crosswalk
), was AS (
    SELECT patient_record_id AS patient_id, person_id FROM whole.marts.patient_records
    WHERE patient_record_id IN (FROM said)
), is_now AS (
    SELECT patient_id, coalesce(crosswalk.person_id, patient_id) AS person_id
    FROM (SELECT patient_id FROM whole.views.patient WHERE patient_id IN (FROM said))
    LEFT JOIN whole.views.crosswalk USING (patient_id)
)
SELECT said.patient_id, was.person_id AS was_person_id, is_now.person_id
FROM said LEFT JOIN was USING (patient_id) LEFT JOIN is_now USING (patient_id);

CREATE TABLE scope.patient_moved AS
SELECT patient_id FROM scope.touched WHERE was_person_id IS DISTINCT FROM person_id;

CREATE TABLE scope.person AS
SELECT unnest([was_person_id, person_id]) AS person_id FROM scope.touched;
DELETE FROM scope.person WHERE person_id IS NULL;

CREATE TABLE scope.patient AS
SELECT patient_id FROM scope.touched
UNION SELECT person_id FROM scope.person
UNION SELECT patient_id FROM whole.views.crosswalk WHERE person_id IN (FROM scope.person)
UNION SELECT merged_patient_id FROM before.linkage WHERE merged_patient_id IS NOT NULL
UNION SELECT merged_patient_id FROM after.linkage WHERE merged_patient_id IS NOT NULL;
"""

_RESULTS = f"""
CREATE TEMP VIEW was_reported AS SELECT {REPORTED} FROM before.diagnostic_report;
CREATE TEMP VIEW is_reported AS SELECT {REPORTED} FROM after.diagnostic_report;
INSERT INTO scope.observation
SELECT unnest(observation_ids)
FROM ((FROM was_reported EXCEPT FROM is_reported) UNION ALL (FROM is_reported EXCEPT FROM was_reported));
"""  # noqa: S608 - names of ours

_REMITTED = """
INSERT INTO scope.explanation_of_benefit
SELECT explanation_of_benefit_id
FROM (FROM before.payment_reconciliation_detail UNION ALL BY NAME FROM after.payment_reconciliation_detail)
WHERE explanation_of_benefit_id IS NOT NULL;
"""

# Claims and answers hang together by the claim's id, by the provider's number, and by the payer's: the rows of one knot
# are made together. Old rows tell what hung together before. Hashes stand for the texts, of which there are as many as
# claims: two that are alike by chance make a knot too large.
_CLAIM = "CASE WHEN claim_id IS NOT NULL THEN hash(claim_id) END AS claim"
_NUMBER = "CASE WHEN patient_control_number IS NOT NULL THEN hash(source, patient_control_number) END AS number"
_PAYER_NUMBER = "CASE WHEN payer_control_number IS NOT NULL THEN hash(source, payer_control_number) END AS payer_number"
_TIES_OF_CLAIM = f"{_CLAIM}, {_NUMBER}"
_TIES_OF_ANSWER = f"{_CLAIM}, {_NUMBER}, {_PAYER_NUMBER}, hash(explanation_of_benefit_id) AS answer"
_KNOTS = f"""
CREATE TEMP TABLE tied AS
SELECT rowid AS claim_place, NULL::BIGINT AS answer_place, {_TIES_OF_CLAIM} FROM whole.views.claim
UNION ALL BY NAME SELECT rowid AS answer_place, {_TIES_OF_ANSWER} FROM whole.views.explanation_of_benefit
UNION ALL BY NAME SELECT {_TIES_OF_CLAIM} FROM before.claim
UNION ALL BY NAME SELECT {_TIES_OF_ANSWER} FROM before.explanation_of_benefit;
CREATE TEMP TABLE held AS
FROM tied WHERE claim IN (SELECT hash(id) FROM scope.claim)
UNION FROM tied WHERE answer IN (SELECT hash(id) FROM scope.explanation_of_benefit);
"""  # noqa: S608 - constants of this module
_GROW = """
INSERT INTO held
FROM tied SEMI JOIN held USING (claim)
UNION FROM tied SEMI JOIN held USING (number)
UNION FROM tied SEMI JOIN held USING (payer_number)
EXCEPT FROM held
"""
_TIED = """
INSERT INTO scope.claim
SELECT claim_id FROM whole.views.claim WHERE rowid IN (SELECT claim_place FROM held)
UNION ALL SELECT claim_id FROM before.explanation_of_benefit WHERE claim_id IS NOT NULL;
CREATE TEMP TABLE answers AS
SELECT claim_id, explanation_of_benefit_id FROM whole.views.explanation_of_benefit
WHERE rowid IN (SELECT answer_place FROM held);
INSERT INTO scope.claim SELECT claim_id FROM answers WHERE claim_id IS NOT NULL;
INSERT INTO scope.explanation_of_benefit SELECT explanation_of_benefit_id FROM answers;
"""

CHARGE_ACCOUNT = "coalesce(encounter_id, source || '|' || coalesce(account_number, patient_id))"
PAYMENT_ACCOUNT = "coalesce(encounter_id, source || '|' || paying_patient_id)"
"""An account of the mart receivables, of a row of the views charge_item and payment_reconciliation_detail."""

_ACCOUNTS = f"""
CREATE TABLE scope.account AS
SELECT {CHARGE_ACCOUNT} AS id FROM (
    FROM before.charge_item UNION ALL BY NAME
    FROM whole.views.charge_item WHERE charge_item_id IN (SELECT id FROM scope.charge_item)
) UNION
SELECT {PAYMENT_ACCOUNT} FROM (
    FROM before.payment_reconciliation_detail UNION ALL BY NAME
    FROM whole.views.payment_reconciliation_detail
    WHERE payment_reconciliation_id IN (SELECT id FROM scope.payment_reconciliation_detail)
) WHERE paying_patient_id IS NOT NULL;
DELETE FROM scope.account WHERE id IS NULL;
"""  # noqa: S608 - constants of this module

# A missed appointment looks for the next meeting of its person: all of theirs are needed.
_MEETINGS = """
CREATE TABLE scope.who AS
SELECT coalesce(person_id, patient_id) AS id FROM whole.marts.appointments
WHERE appointment_id IN (SELECT id FROM scope.appointment)
UNION SELECT coalesce(person_id, patient_id) FROM whole.marts.encounters
WHERE encounter_id IN (SELECT id FROM scope.encounter)
UNION SELECT who FROM meeting WHERE appointment_id IN (SELECT id FROM scope.appointment)
UNION SELECT who FROM meeting WHERE encounter_id IN (SELECT id FROM scope.encounter);
DELETE FROM scope.who WHERE id IS NULL;
CREATE TEMP TABLE met AS
SELECT appointment_id, encounter_id FROM meeting
WHERE who IN (SELECT id FROM scope.who) AND who IN (SELECT who FROM meeting WHERE is_missed);
INSERT INTO scope.appointment SELECT appointment_id FROM met WHERE appointment_id IS NOT NULL;
INSERT INTO scope.encounter SELECT encounter_id FROM met WHERE encounter_id IS NOT NULL;
"""
_MEETING = """
CREATE TEMP VIEW meeting AS
SELECT appointment_id, encounter_id, is_missed, coalesce(crosswalk.person_id, met.patient_id) AS who
FROM (
    SELECT appointment_id, NULL AS encounter_id, status = 'noshow' AS is_missed,
        coalesce(participant_patient_id, patient_id) AS patient_id
    FROM whole.views.appointment
    UNION ALL
    SELECT NULL, encounter_id, false, patient_id FROM whole.views.encounter
) AS met LEFT JOIN whole.views.crosswalk ON met.patient_id = crosswalk.patient_id;
"""


def find_scope(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the schema `scope`; what changed is known, and the views of the warehouse are new already."""
    connection.execute("CREATE SCHEMA scope")
    connection.execute(_PERSONS)
    for lookup in LOOKUPS:
        _find_renamed(connection, lookup)
    for subject in SUBJECTS:
        _find_subject(connection, subject)
    connection.execute(_RESULTS)
    connection.execute(_REMITTED)
    _find_knots(connection)
    connection.execute(_ACCOUNTS)
    connection.execute(_MEETING)
    connection.execute(_MEETINGS)


def _find_renamed(connection: duckdb.DuckDBPyConnection, lookup: str) -> None:
    """Find what says something else now than it did, beside how it came."""
    was, now = (f'SELECT * EXCLUDE ({_ENVELOPE}) FROM {place}."{lookup}"' for place in ("before", "after"))  # noqa: S608
    connection.execute(
        f"CREATE TABLE scope.{lookup}_moved AS SELECT DISTINCT {lookup}_id"  # noqa: S608 - names of ours
        f" FROM (({was} EXCEPT {now}) UNION ALL ({now} EXCEPT {was}))"
    )


def _find_subject(connection: duckdb.DuckDBPyConnection, subject: Subject) -> None:
    """Find the resources of a type that changed themselves, or refer to what moved."""
    table = f"scope.{subject.view}"
    connection.execute(
        f"CREATE TABLE {table} AS SELECT resource_id AS id FROM changed.resource"  # noqa: S608 - names of ours
        f" WHERE resource_type = '{subject.resource}'"
    )
    for column, moved in _references(connection, subject.view):
        connection.execute(
            f"INSERT INTO {table} SELECT {subject.key} FROM whole.views.{subject.view}"  # noqa: S608 - names of ours
            f" WHERE {column} IN (FROM {moved})"
        )


def _references(connection: duckdb.DuckDBPyConnection, view: str) -> list[tuple[str, str]]:
    """Return the columns of a view that refer to something of which some has moved, and where that stands."""
    columns = [row[0] for row in connection.execute(f'DESCRIBE whole.views."{view}"').fetchall()]
    moved = [kind for kind in ("patient", *LOOKUPS) if _any(connection, f"scope.{kind}_moved")]
    return [(column, f"scope.{kind}_moved") for kind in moved for column in columns if column.endswith(f"{kind}_id")]


def _find_knots(connection: duckdb.DuckDBPyConnection) -> None:
    if not (_any(connection, "scope.claim") or _any(connection, "scope.explanation_of_benefit")):
        return
    connection.execute(_KNOTS)
    while connection.execute(_GROW).fetchall()[0][0]:
        pass
    connection.execute(_TIED)


def _any(connection: duckdb.DuckDBPyConnection, table: str) -> bool:
    return bool(connection.execute(f"FROM {table} LIMIT 1").fetchall())
