SELECT
    id, gender, birthDate AS birth_date, deceasedDateTime AS deceased,
    official.family AS family, official.given[1] AS given,
    address[1].city AS city, address[1].state AS state, address[1].postalCode AS postal
FROM (
    SELECT *, list_filter(name, lambda each: each.use = 'official')[1] AS official
    FROM read_ndjson(getvariable('file'), columns = {
        id: 'VARCHAR', gender: 'VARCHAR', birthDate: 'VARCHAR', deceasedDateTime: 'VARCHAR',
        name: 'STRUCT("use" VARCHAR, family VARCHAR, given VARCHAR[])[]',
        address: 'STRUCT(city VARCHAR, state VARCHAR, postalCode VARCHAR)[]'
    })
)
