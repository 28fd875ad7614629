SELECT
    id, status, class.code AS class, split_part(subject.reference, '/', 2) AS patient,
    period.start AS start, period."end" AS "end", type[1].coding[1].code AS type,
    split_part(serviceProvider.reference, '/', 2) AS org
FROM read_ndjson(getvariable('file'), columns = {
    id: 'VARCHAR', status: 'VARCHAR', class: 'STRUCT(code VARCHAR)', subject: 'STRUCT(reference VARCHAR)',
    period: 'STRUCT(start VARCHAR, "end" VARCHAR)', type: 'STRUCT(coding STRUCT(code VARCHAR)[])[]',
    serviceProvider: 'STRUCT(reference VARCHAR)'
})
