"""Puts the new rows of the marts in the place of those in scope, after every test has looked at them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub_core.errors import BuildError
from pipelines.increment.scope import find_scope
from pipelines.increment.slices import cut_slices
from pipelines.increment.statements import Statement, kept_statements, make_models, run_tests

if TYPE_CHECKING:
    import duckdb

    from pipelines.quality.findings import Finding

_CLAIMS = "claim_id IN (SELECT id FROM scope.claim)"
_ANSWERS = "claim_payment_id IN (SELECT id FROM scope.explanation_of_benefit)"
_DETAILS = "IN (SELECT id FROM scope.payment_reconciliation_detail)"

IN_SCOPE = {
    "account_adjustments": f"split_part(account_adjustment_id, '/', 1) {_DETAILS}",
    "appointments": "appointment_id IN (SELECT id FROM scope.appointment)",
    "charges": f"{_CLAIMS} OR (claim_id IS NULL AND charge_id IN (SELECT id FROM scope.charge_item))",  # noqa: S608
    "claim_adjustments": _ANSWERS,
    "claim_payments": _ANSWERS,
    "claims": _CLAIMS,
    "conditions": "condition_id IN (SELECT id FROM scope.condition)",
    "denials": _ANSWERS,
    "eligibility_answers": "eligibility_answer_id IN (SELECT id FROM scope.coverage_eligibility_response)",
    "encounters": "encounter_id IN (SELECT id FROM scope.encounter)",
    "feed_activity": "true",
    "findings": "finding_kind <> 'event_after_message' OR resource_id IN (SELECT id FROM scope.encounter)",
    "immunizations": "immunization_id IN (SELECT id FROM scope.immunization)",
    "lab_results": "observation_id IN (SELECT id FROM scope.observation)",
    "medications": "medication_id IN (SELECT id FROM scope.medication_request)",
    "no_shows": "coalesce(person_id, patient_id) IN (SELECT id FROM scope.who)"
    " OR no_show_id IN (SELECT id FROM scope.appointment)",
    "patient_records": "patient_record_id IN (FROM scope.patient)",
    "patients": "person_id IN (FROM scope.person)",
    "payments": f"{_ANSWERS} OR (claim_payment_id IS NULL AND split_part(payment_id, '/', 1) {_DETAILS})",
    "receivables": f"{_CLAIMS} OR (claim_id IS NULL AND receivable_id IN (SELECT id FROM scope.account))",  # noqa: S608
}
"""Which rows of each mart are made anew: of a row that is not, what it was made of may be missing among the slices."""


def remake_marts(connection: duckdb.DuckDBPyConnection) -> tuple[tuple[str, ...], list[Finding]]:
    """Bring the marts of the attached warehouse up to date, and return their names and what the tests found.

    Raises:
        BuildError: if a mart is not known here.
    """
    statements = kept_statements(connection, "whole")
    marts = [each for each in statements if each.kind == "table"]
    unknown = sorted({each.name for each in marts} - set(IN_SCOPE))
    if unknown:
        raise BuildError(f"it is not known which rows of {', '.join(unknown)} change; build with --full")
    find_scope(connection)
    cut_slices(connection)
    make_models(connection, statements)
    for mart in marts:
        connection.execute(f"DELETE FROM {mart.relation} WHERE ({IN_SCOPE[mart.name]}) IS NOT TRUE")  # noqa: S608
    findings = list(run_tests(connection, statements))
    for mart in marts:
        _merge(connection, mart)
    return tuple(mart.name for mart in marts), findings


def _merge(connection: duckdb.DuckDBPyConnection, mart: Statement) -> None:
    connection.execute(f"DELETE FROM whole.{mart.relation} WHERE {IN_SCOPE[mart.name]}")  # noqa: S608 - names of ours
    connection.execute(f"INSERT INTO whole.{mart.relation} BY NAME FROM {mart.relation}")
