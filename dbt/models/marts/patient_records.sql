with

patients as (

    select * from {{ ref('int_patient_persons') }}

),

linkages as (

    select * from {{ ref('stg_linkages') }}

),

-- A merge is said of a record by the record itself, or beside it; merged again means the last one.
merges as (

    select
        merged_patient_id as patient_id,
        arg_max(surviving_patient_id, row(event_at, recorded_at, linkage_id)) as surviving_patient_id,
        arg_max(linkage_id, row(event_at, recorded_at, linkage_id)) as linkage_id

    from linkages
    where coalesce(is_active, true)
    group by merged_patient_id

),

records as (

    select
        patients.*,
        coalesce(patients.replaced_by_patient_id, merges.surviving_patient_id) as surviving_patient_id,
        merges.linkage_id

    from patients
    left join merges on patients.patient_id = merges.patient_id

),

final as (

    select
        patient_id::varchar as patient_record_id,
        person_id::varchar as person_id,
        surviving_patient_id::varchar as surviving_patient_record_id,
        mrn::varchar as mrn,
        coalesce(
            nullif(concat_ws(' ', given_names, family_name, name_suffix), ''), name_text
        )::varchar as full_name,
        gender::varchar as gender,
        source::varchar as source,
        location::varchar as location,
        (coalesce(is_active, true) and surviving_patient_id is null)::boolean as is_active,
        (surviving_patient_id is not null)::boolean as is_merged,
        coalesce(authority = 0, birth_date_text is null and gender is null)::boolean as is_stub,
        birth_date::date as birth_date,
        first_recorded_at::timestamptz as first_recorded_at,
        recorded_at::timestamptz as recorded_at,
        {{ traces([('Patient', 'patient_id'), ('Linkage', 'linkage_id')]) }} as traces

    from records

)

select * from final
