"""Who is there: patient records, the persons that equal identifiers make of them, and merges.

`known_persons` is what somebody finds who only follows equal identifiers and merges (`pipelines.demo.identity`).
"""

from __future__ import annotations

from pipelines.demo.checks.check import Check

HELD_RECORDS = """
    SELECT
        records.*,
        records.source || '|' || CASE
            WHEN member.identifier_value IS NULL THEN records.mrn
            ELSE lower(concat_ws(
                '|',
                parse_filename(member.identifier_system),
                member.identifier_value,
                regexp_replace(patient.given_names, ' [A-Z]$', ''),
                records.birth_date
            ))
        END AS record_key
    FROM marts.patient_records AS records
    INNER JOIN staging.stg_patients AS patient ON records.patient_record_id = patient.patient_id
    LEFT JOIN staging.stg_patient_identifiers AS member
        ON patient.patient_id = member.patient_id AND member.identifier_type_code = 'MB'
    WHERE
        NOT records.is_stub
        AND (
            member.identifier_value IS NULL
            OR records.patient_record_id IN (SELECT patient_id FROM marts.claims)
            OR records.patient_record_id IN (SELECT patient_id FROM marts.eligibility_answers)
        )
"""
"""The patient records of the warehouse, each under the number by which its source knows it.

Where that is a payer's member number, those who are only subscribers of somebody's cover are no patients; the whole
given name counts, misspelt or not, but for the initial of the middle one.
"""

PEOPLE = (
    Check(
        "patient records by location",
        "SELECT location, count(*) FROM known_persons GROUP BY ALL",
        f"SELECT location, count(*) FROM ({HELD_RECORDS}) GROUP BY ALL",  # noqa: S608 - a question of our own
    ),
    Check(
        "patient records by location and year of birth",
        "SELECT location, year(birth_date), count(*) FROM known_persons GROUP BY ALL",
        f"SELECT location, year(birth_date), count(*) FROM ({HELD_RECORDS}) GROUP BY ALL",  # noqa: S608
    ),
    Check(
        "patient records merged into others",
        "SELECT site, count(*) FROM registrations WHERE merged_into <> '' AND site <> 'pediatrics' GROUP BY ALL",
        "SELECT location, count(*) FROM marts.patient_records WHERE is_merged GROUP BY ALL",
    ),
    Check(
        "persons by number of locations",
        """
        SELECT locations, count(*)
        FROM (SELECT person_key, count(DISTINCT location) AS locations FROM known_persons GROUP BY ALL)
        GROUP BY ALL
        """,
        f"""
        SELECT locations, count(*)
        FROM (SELECT person_id, count(DISTINCT location) AS locations FROM ({HELD_RECORDS}) GROUP BY ALL)
        GROUP BY ALL
        """,  # noqa: S608
    ),
    Check(
        "the records of each person",
        """
        SELECT min(record_key), string_agg(record_key, ' ' ORDER BY record_key)
        FROM known_persons GROUP BY person_key
        """,
        f"""
        SELECT min(record_key), string_agg(record_key, ' ' ORDER BY record_key)
        FROM ({HELD_RECORDS}) GROUP BY person_id
        """,  # noqa: S608
        "text",
    ),
)
