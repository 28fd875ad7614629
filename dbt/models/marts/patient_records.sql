with

records as (

    select * from {{ ref('int_patient_persons') }}

),

final as (

    select
        patient_id::varchar as patient_record_id,
        person_id::varchar as person_id,
        mrn::varchar as mrn,
        coalesce(
            nullif(concat_ws(' ', given_names, family_name, name_suffix), ''), name_text
        )::varchar as full_name,
        gender::varchar as gender,
        replaced_by_patient_id::varchar as replaced_by_patient_record_id,
        source::varchar as source,
        location::varchar as location,
        (coalesce(is_active, true) and replaced_by_patient_id is null)::boolean as is_active,
        (replaced_by_patient_id is not null)::boolean as is_merged,
        coalesce(authority = 0, birth_date_text is null and gender is null)::boolean as is_stub,
        birth_date::date as birth_date,
        least(placed_at, recorded_at)::timestamptz as first_recorded_at,
        recorded_at::timestamptz as recorded_at,
        {{ traces([('Patient', 'patient_id')]) }} as traces

    from records

)

select * from final
