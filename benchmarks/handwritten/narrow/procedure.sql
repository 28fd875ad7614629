SELECT
    id, split_part(subject.reference, '/', 2) AS patient, split_part(encounter.reference, '/', 2) AS encounter, status,
    code.coding[1].code AS code, code.coding[1].display AS display,
    performedPeriod.start AS start, performedPeriod."end" AS "end"
FROM read_ndjson(getvariable('file'), columns = {
    id: 'VARCHAR', subject: 'STRUCT(reference VARCHAR)', encounter: 'STRUCT(reference VARCHAR)', status: 'VARCHAR',
    code: 'STRUCT(coding STRUCT(code VARCHAR, display VARCHAR)[])',
    performedPeriod: 'STRUCT(start VARCHAR, "end" VARCHAR)'
})
