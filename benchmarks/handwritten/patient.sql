-- The columns of dbt/views/patient.ViewDefinition.json as one would write them by hand for DuckDB.
-- The variable `files` names the Parquet files.
CREATE TABLE handwritten.patient AS
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
patient AS (
    SELECT
        resource_id, version, source, location, message_id, position, event_at, authority, recorded_at,
        first_event_at, first_recorded_at,
        from_json(body, '{
            "identifier": [{
                "value": "VARCHAR", "system": "VARCHAR", "assigner": {"display": "VARCHAR"},
                "type": {"coding": [{"code": "VARCHAR"}]}
            }],
            "name": [{
                "use": "VARCHAR", "family": "VARCHAR", "given": ["VARCHAR"], "suffix": ["VARCHAR"], "text": "VARCHAR"
            }],
            "gender": "VARCHAR",
            "birthDate": "VARCHAR",
            "active": "BOOLEAN",
            "deceasedBoolean": "BOOLEAN",
            "deceasedDateTime": "VARCHAR",
            "telecom": [{"system": "VARCHAR", "value": "VARCHAR"}],
            "address": [{
                "line": ["VARCHAR"], "city": "VARCHAR", "state": "VARCHAR", "postalCode": "VARCHAR",
                "country": "VARCHAR"
            }],
            "extension": [{
                "url": "VARCHAR", "valueCode": "VARCHAR",
                "extension": [{"url": "VARCHAR", "valueString": "VARCHAR", "valueCoding": {"code": "VARCHAR"}}]
            }],
            "maritalStatus": {"coding": [{"code": "VARCHAR"}]},
            "communication": [{"language": {"coding": [{"code": "VARCHAR"}]}}],
            "link": [{"type": "VARCHAR", "other": {"reference": "VARCHAR"}}]
        }') AS p
    FROM current
),
chosen AS (
    SELECT
        *,
        list_filter(
            p.identifier, lambda i: len(list_filter(i.type.coding, lambda coding: coding.code = 'MR')) > 0
        )[1] AS mrn,
        list_filter(p.name, lambda name: name.use = 'official')[1] AS official,
        list_filter(p.extension, lambda e: e.url = 'http://hl7.org/fhir/us/core/StructureDefinition/us-core-race')[1]
            .extension AS race,
        list_filter(
            p.extension, lambda e: e.url = 'http://hl7.org/fhir/us/core/StructureDefinition/us-core-ethnicity'
        )[1].extension AS ethnicity
    FROM patient
)
SELECT
    resource_id AS patient_id,
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
    mrn.value AS mrn,
    mrn.system AS mrn_system,
    mrn.assigner.display AS mrn_assigner,
    p.identifier[1].value AS identifier_value,
    official.family AS official_family_name,
    array_to_string(official.given, ' ') AS official_given_names,
    array_to_string(official.suffix, ' ') AS official_name_suffix,
    p.name[1].family AS any_family_name,
    array_to_string(p.name[1].given, ' ') AS any_given_names,
    p.name[1].text AS any_name_text,
    array_to_string(p.name[1].suffix, ' ') AS any_name_suffix,
    p.gender AS gender,
    p.birthDate AS birth_date_text,
    p.active AS is_active,
    p.deceasedBoolean AS is_deceased,
    p.deceasedDateTime AS deceased_text,
    list_filter(p.telecom, lambda t: t.system = 'phone')[1].value AS phone,
    list_filter(p.telecom, lambda t: t.system = 'email')[1].value AS email,
    array_to_string(p.address[1].line, ', ') AS address_line,
    p.address[1].city AS city,
    p.address[1].state AS state,
    p.address[1].postalCode AS postal_code,
    p.address[1].country AS country,
    list_filter(
        p.extension, lambda e: e.url = 'http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex'
    )[1].valueCode AS birth_sex,
    list_filter(race, lambda e: e.url = 'ombCategory')[1].valueCoding.code AS race_code,
    list_filter(race, lambda e: e.url = 'text')[1].valueString AS race,
    list_filter(ethnicity, lambda e: e.url = 'ombCategory')[1].valueCoding.code AS ethnicity_code,
    list_filter(ethnicity, lambda e: e.url = 'text')[1].valueString AS ethnicity,
    p.maritalStatus.coding[1].code AS marital_status_code,
    p.communication[1].language.coding[1].code AS language_code,
    list_filter(p.link, lambda l: l.type = 'replaced-by')[1].other.reference[9:] AS replaced_by_patient_id
FROM chosen
