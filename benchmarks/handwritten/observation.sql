-- The columns of dbt/views/observation.ViewDefinition.json as one would write them by hand for DuckDB.
-- The variable `files` names the Parquet files.
CREATE TABLE handwritten.observation AS
WITH latest AS (
    SELECT max(seq) AS seq, min(coalesce(first_event_at, event_at)) AS first_event_at,
        min(recorded_at) AS first_recorded_at
    FROM read_parquet(getvariable('files')) GROUP BY resource_id
),
current AS (
    SELECT known.* EXCLUDE (first_event_at), latest.first_event_at, latest.first_recorded_at
    FROM read_parquet(getvariable('files')) AS known JOIN latest USING (seq)
    WHERE NOT deleted
),
observation AS (
    SELECT
        resource_id, patient_id, version, source, location, message_id, position, event_at, authority, recorded_at,
        first_event_at, first_recorded_at,
        from_json(body, '{
            "identifier": [{"value": "VARCHAR"}],
            "status": "VARCHAR",
            "category": [{"coding": [{"code": "VARCHAR"}]}],
            "code": {"coding": [{"code": "VARCHAR", "system": "VARCHAR", "display": "VARCHAR"}], "text": "VARCHAR"},
            "valueQuantity": {"value": "DOUBLE", "comparator": "VARCHAR", "unit": "VARCHAR", "code": "VARCHAR"},
            "valueString": "VARCHAR",
            "valueInteger": "INTEGER",
            "valueBoolean": "BOOLEAN",
            "valueDateTime": "VARCHAR",
            "valueTime": "VARCHAR",
            "valueRange": {"low": {"value": "DOUBLE"}, "high": {"value": "DOUBLE"}},
            "valueRatio": {"numerator": {"value": "DOUBLE"}, "denominator": {"value": "DOUBLE"}},
            "valueCodeableConcept": {
                "coding": [{"code": "VARCHAR", "system": "VARCHAR", "display": "VARCHAR"}], "text": "VARCHAR"
            },
            "dataAbsentReason": {"coding": [{"code": "VARCHAR"}]},
            "interpretation": [{"coding": [{"code": "VARCHAR"}]}],
            "referenceRange": [{"low": {"value": "DOUBLE"}, "high": {"value": "DOUBLE"}, "text": "VARCHAR"}],
            "encounter": {"reference": "VARCHAR"},
            "performer": [{"reference": "VARCHAR"}],
            "component": ["JSON"],
            "effectiveDateTime": "VARCHAR",
            "effectivePeriod": {"start": "VARCHAR"},
            "effectiveInstant": "VARCHAR",
            "issued": "VARCHAR"
        }') AS o
    FROM current
)
SELECT
    resource_id AS observation_id,
    patient_id,
    version,
    source,
    location,
    message_id,
    position AS message_position,
    event_at,
    authority,
    recorded_at,
    first_event_at,
    first_recorded_at,
    o.identifier[1].value AS identifier_value,
    o.status AS status,
    coalesce(
        list_transform(flatten(list_transform(o.category, lambda c: c.coding)), lambda coding: coding.code), []
    ) AS category_codes,
    o.code.coding[1].code AS observation_code,
    o.code.coding[1].system AS observation_system,
    o.code.coding[1].display AS observation_display,
    o.code.text AS observation_text,
    list_filter(o.code.coding, lambda coding: coding.system = 'http://loinc.org')[1].code AS loinc_code,
    o.valueQuantity.value AS value_number,
    o.valueQuantity.comparator AS value_comparator,
    o.valueQuantity.unit AS value_unit,
    o.valueQuantity.code AS value_unit_code,
    o.valueString AS value_string,
    o.valueInteger AS value_integer,
    o.valueBoolean AS value_boolean,
    o.valueDateTime AS value_moment_text,
    o.valueTime AS value_time_text,
    o.valueRange.low.value AS value_low,
    o.valueRange.high.value AS value_high,
    o.valueRatio.numerator.value AS value_numerator,
    o.valueRatio.denominator.value AS value_denominator,
    o.valueCodeableConcept.coding[1].code AS value_code,
    o.valueCodeableConcept.coding[1].system AS value_system,
    o.valueCodeableConcept.coding[1].display AS value_display,
    o.valueCodeableConcept.text AS value_text,
    o.dataAbsentReason.coding[1].code AS absent_reason_code,
    o.interpretation[1].coding[1].code AS interpretation_code,
    o.referenceRange[1].low.value AS reference_low,
    o.referenceRange[1].high.value AS reference_high,
    o.referenceRange[1].text AS reference_text,
    CASE WHEN starts_with(o.encounter.reference, 'Encounter/') THEN o.encounter.reference[11:] END AS encounter_id,
    list_filter(o.performer, lambda p: starts_with(p.reference, 'Organization/'))[1].reference[14:]
        AS performer_organization_id,
    list_filter(o.performer, lambda p: starts_with(p.reference, 'Practitioner/'))[1].reference[14:]
        AS performer_practitioner_id,
    coalesce(len(o.component), 0)::INTEGER AS component_count,
    o.effectiveDateTime AS effective_text,
    o.effectivePeriod.start AS effective_start_text,
    o.effectiveInstant AS effective_instant_text,
    o.issued AS issued_text
FROM observation
