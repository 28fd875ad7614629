SELECT
    id, split_part(subject.reference, '/', 2) AS patient, split_part(encounter.reference, '/', 2) AS encounter,
    code.coding[1].code AS code, code.coding[1].display AS display, clinicalStatus.coding[1].code AS clinical,
    onsetDateTime AS onset, abatementDateTime AS abatement
FROM read_ndjson(getvariable('file'), columns = {
    id: 'VARCHAR', subject: 'STRUCT(reference VARCHAR)', encounter: 'STRUCT(reference VARCHAR)',
    code: 'STRUCT(coding STRUCT(code VARCHAR, display VARCHAR)[])', clinicalStatus: 'STRUCT(coding STRUCT(code VARCHAR)[])',
    onsetDateTime: 'VARCHAR', abatementDateTime: 'VARCHAR'
})
