-- A patient record that identity has not placed yet is a person of its own until the next build.
with

patients as (

    select * from {{ ref('stg_patients') }}

),

crosswalk as (

    select * from {{ ref('stg_crosswalk') }}

),

final as (

    select
        patients.*,
        coalesce(crosswalk.person_id, patients.patient_id) as person_id,
        coalesce(crosswalk.stated_at, patients.event_at) as stated_at

    from patients
    left join crosswalk on patients.patient_id = crosswalk.patient_id

)

select * from final
