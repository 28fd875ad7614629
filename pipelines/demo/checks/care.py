"""What happened to people: encounters, appointments, results, immunizations, problems, medications, allergies.

Visits at pediatrics reach the house only as claims.
"""

from __future__ import annotations

from pipelines.demo.checks.check import Check

CARE = (
    Check(
        "encounters by location and class",
        "SELECT site, visit_class, count(*) FROM visits WHERE site <> 'pediatrics' GROUP BY ALL",
        "SELECT location, class_code, count(*) FROM marts.encounters GROUP BY ALL",
    ),
    Check(
        "encounters by location and status",
        "SELECT site, status, count(*) FROM visits WHERE site <> 'pediatrics' GROUP BY ALL",
        "SELECT location, status, count(*) FROM marts.encounters GROUP BY ALL",
    ),
    Check(
        "encounters by location and year",
        "SELECT site, year(started_at), count(*) FROM visits WHERE site <> 'pediatrics' GROUP BY ALL",
        "SELECT location, year(started_at), count(*) FROM marts.encounters GROUP BY ALL",
    ),
    Check(
        "appointments by location and status",
        "SELECT site, status, count(*) FROM bookings GROUP BY ALL",
        "SELECT location, status, count(*) FROM marts.appointments GROUP BY ALL",
    ),
    Check(
        "appointments by month",
        "SELECT site, strftime(starts_at, '%Y-%m'), count(*) FROM bookings GROUP BY ALL",
        "SELECT location, strftime(starts_at, '%Y-%m'), count(*) FROM marts.appointments GROUP BY ALL",
    ),
    Check(
        "appointments missed, by location and month",
        "SELECT site, strftime(starts_at, '%Y-%m'), count(*) FROM bookings WHERE status = 'noshow' GROUP BY ALL",
        "SELECT location, strftime(starts_at, '%Y-%m'), count(*) FROM marts.no_shows GROUP BY ALL",
    ),
    Check(
        "laboratory reports by location",
        "SELECT site, count(DISTINCT report_id) FROM results GROUP BY ALL",
        "SELECT location, count(DISTINCT diagnostic_report_id) FROM marts.lab_results GROUP BY ALL",
    ),
    Check(
        "results by location and test",
        "SELECT site, loinc, count(*) FROM results GROUP BY ALL",
        "SELECT location, loinc_code, count(*) FROM marts.lab_results GROUP BY ALL",
    ),
    Check(
        "sum of the values of each test",
        "SELECT loinc, sum(try_cast(value AS DECIMAL(18, 4)))::VARCHAR FROM results GROUP BY ALL",
        "SELECT loinc_code, sum(value_number::DECIMAL(18, 4))::VARCHAR FROM marts.lab_results GROUP BY ALL",
        "text",
    ),
    Check(
        "corrected results by test and value",
        """
        SELECT site, loinc, coalesce(try_cast(value AS DECIMAL(18, 4))::VARCHAR, value), count(*)
        FROM results WHERE is_corrected GROUP BY ALL
        """,
        """
        SELECT location, loinc_code, coalesce(value_number::DECIMAL(18, 4)::VARCHAR, value_text), count(*)
        FROM marts.lab_results WHERE status = 'corrected' GROUP BY ALL
        """,
    ),
    Check(
        "results outside their range, by location and test",
        "SELECT site, loinc, count(*) FROM results WHERE flag <> '' GROUP BY ALL",
        "SELECT location, loinc_code, count(*) FROM marts.lab_results WHERE is_abnormal GROUP BY ALL",
    ),
    Check(
        "immunizations by vaccine and status",
        "SELECT site, cvx, status, count(*) FROM vaccinations GROUP BY ALL",
        "SELECT location, cvx_code, status, count(*) FROM marts.immunizations GROUP BY ALL",
    ),
    Check(
        "doses given by year",
        "SELECT site, year(given_on), count(*) FROM vaccinations WHERE status = 'completed' GROUP BY ALL",
        "SELECT location, year(administered_date), count(*) FROM marts.immunizations WHERE is_given GROUP BY ALL",
    ),
    Check(
        "problems by location, kind and ICD-10 category",
        "SELECT site, kind, left(icd10, 3), count(*) FROM problems GROUP BY ALL",
        "SELECT location, category_code, left(icd10_code, 3), count(*) FROM marts.conditions GROUP BY ALL",
    ),
    Check(
        "active problems by location",
        "SELECT site, count(*) FROM problems WHERE is_active AND kind = 'problem-list-item' GROUP BY ALL",
        """
        SELECT location, count(*) FROM marts.conditions
        WHERE is_active AND category_code = 'problem-list-item' GROUP BY ALL
        """,
    ),
    Check(
        "medications by RxNorm code, active or not",
        "SELECT site, rxnorm, is_active, count(*) FROM prescriptions GROUP BY ALL",
        "SELECT location, rxnorm_code, is_active, count(*) FROM marts.medications GROUP BY ALL",
    ),
    Check(
        "allergies by location and substance",
        "SELECT site, code, count(*) FROM allergies GROUP BY ALL",
        "SELECT location, allergy_code, count(*) FROM staging.stg_allergy_intolerances GROUP BY ALL",
    ),
)
