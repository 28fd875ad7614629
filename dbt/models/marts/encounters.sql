with

encounters as (

    select * from {{ ref('stg_encounters') }}

),

patients as (

    select * from {{ ref('int_patient_persons') }}

),

practitioners as (

    select * from {{ ref('stg_practitioners') }}

),

organizations as (

    select * from {{ ref('stg_organizations') }}

),

locations as (

    select * from {{ ref('stg_locations') }}

),

final as (

    select
        encounters.encounter_id::varchar as encounter_id,
        patients.person_id::varchar as person_id,
        encounters.patient_id::varchar as patient_id,
        practitioners.practitioner_id::varchar as practitioner_id,
        encounters.organization_id::varchar as organization_id,
        encounters.location_id::varchar as location_id,
        encounters.visit_number::varchar as visit_number,
        encounters.status::varchar as status,
        encounters.class_code::varchar as class_code,
        coalesce(encounters.class_display, encounters.class_code)::varchar as class_name,
        encounters.type_code::varchar as type_code,
        encounters.type_name::varchar as type_name,
        encounters.reason_code::varchar as reason_code,
        encounters.reason_name::varchar as reason_name,
        encounters.discharge_disposition_code::varchar as discharge_disposition_code,
        {{ person_name('practitioners') }}::varchar as practitioner_name,
        organizations.name::varchar as organization_name,
        locations.name::varchar as location_name,
        encounters.source::varchar as source,
        encounters.location::varchar as location,
        date_diff('minute', encounters.started_at, encounters.ended_at)::bigint as duration_minutes,
        encounters.started_date::date as started_date,
        encounters.started_at::timestamptz as started_at,
        encounters.ended_at::timestamptz as ended_at,
        encounters.recorded_at::timestamptz as recorded_at,
        {{ traces([
            ('Encounter', 'encounters.encounter_id'),
            ('Patient', 'patients.patient_id'),
            ('Practitioner', 'practitioners.practitioner_id'),
            ('Organization', 'organizations.organization_id'),
            ('Location', 'locations.location_id'),
        ]) }} as traces

    from encounters
    left join patients on encounters.patient_id = patients.patient_id
    left join practitioners
        on coalesce(encounters.attending_practitioner_id, encounters.practitioner_id) = practitioners.practitioner_id
    left join organizations on encounters.organization_id = organizations.organization_id
    left join locations on encounters.location_id = locations.location_id

)

select * from final
