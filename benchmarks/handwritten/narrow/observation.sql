SELECT
    id, split_part(subject.reference, '/', 2) AS patient, split_part(encounter.reference, '/', 2) AS encounter, status,
    category[1].coding[1].code AS category, code.coding[1].code AS code, code.coding[1].display AS display,
    effectiveDateTime AS effective, valueQuantity.value AS value, valueQuantity.unit AS unit,
    valueCodeableConcept.coding[1].code AS value_code
FROM read_ndjson(getvariable('file'), columns = {
    id: 'VARCHAR', subject: 'STRUCT(reference VARCHAR)', encounter: 'STRUCT(reference VARCHAR)', status: 'VARCHAR',
    category: 'STRUCT(coding STRUCT(code VARCHAR)[])[]', code: 'STRUCT(coding STRUCT(code VARCHAR, display VARCHAR)[])',
    effectiveDateTime: 'VARCHAR', valueQuantity: 'STRUCT("value" DOUBLE, unit VARCHAR)',
    valueCodeableConcept: 'STRUCT(coding STRUCT(code VARCHAR)[])'
})
