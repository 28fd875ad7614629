SELECT
    id, split_part(patient.reference, '/', 2) AS patient, created, total.value AS total,
    line.sequence AS sequence, line.productOrService.coding[1].code AS code, line.net.value AS net
FROM (
    SELECT *, unnest(item) AS line
    FROM read_ndjson(getvariable('file'), columns = {
        id: 'VARCHAR', patient: 'STRUCT(reference VARCHAR)', created: 'VARCHAR', total: 'STRUCT("value" DOUBLE)',
        item: 'STRUCT(
            sequence INTEGER, productOrService STRUCT(coding STRUCT(code VARCHAR)[]), net STRUCT("value" DOUBLE)
        )[]'
    })
)
