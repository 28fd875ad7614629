-- Each fact about a person is the latest one that any of the records states; a name or an address is taken whole.
with

records as (

    select
        *,
        row(coalesce(stated_at, recorded_at), patient_id) as said

    from {{ ref('int_patient_persons') }}

),

best as (

    select
        person_id,
        arg_max(
            struct_pack(family := family_name, given := given_names, suffix := name_suffix, whole := name_text), said
        ) filter (where coalesce(family_name, given_names, name_text) is not null) as name,
        arg_max(
            struct_pack(line := address_line, city := city, state := state, postal_code := postal_code), said
        ) filter (where coalesce(address_line, city, state, postal_code) is not null) as address,
        arg_max(gender, said) as gender,
        arg_max(birth_date, said) as birth_date,
        arg_max(phone, said) as phone,
        arg_max(email, said) as email,
        arg_max(race, said) as race,
        arg_max(ethnicity, said) as ethnicity,
        arg_max(language_code, said) as language_code,
        coalesce(bool_or(is_deceased or deceased_at is not null), false) as is_deceased,
        max(deceased_at) as deceased_at,
        list_sort(list(distinct source)) as sources,
        list_sort(list(distinct location) filter (where location is not null)) as locations,
        list_sort(list(distinct mrn) filter (where mrn is not null)) as mrns,
        list_sort(list(patient_id)) as patient_ids,
        count(*) as patient_count,
        min(recorded_at) as first_recorded_at,
        max(recorded_at) as last_recorded_at

    from records
    group by person_id

),

final as (

    select
        person_id::varchar as person_id,
        name.family::varchar as family_name,
        name.given::varchar as given_names,
        name.suffix::varchar as name_suffix,
        coalesce(
            nullif(concat_ws(' ', name.given, name.family, name.suffix), ''), name.whole
        )::varchar as full_name,
        gender::varchar as gender,
        phone::varchar as phone,
        email::varchar as email,
        address.line::varchar as address_line,
        address.city::varchar as city,
        address.state::varchar as state,
        address.postal_code::varchar as postal_code,
        race::varchar as race,
        ethnicity::varchar as ethnicity,
        language_code::varchar as language_code,
        sources::varchar[] as sources,
        coalesce(locations, [])::varchar[] as locations,
        coalesce(mrns, [])::varchar[] as mrns,
        patient_ids::varchar[] as patient_ids,
        patient_count::integer as patient_count,
        is_deceased::boolean as is_deceased,
        birth_date::date as birth_date,
        deceased_at::timestamptz as deceased_at,
        first_recorded_at::timestamptz as first_recorded_at,
        last_recorded_at::timestamptz as last_recorded_at,
        list_transform(patient_ids, lambda id: {{ trace('Patient', 'id') }})::varchar[] as traces

    from best

)

select * from final
