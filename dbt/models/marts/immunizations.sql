with

immunizations as (

    select * from {{ ref('stg_immunizations') }}

),

patients as (

    select * from {{ ref('int_patient_persons') }}

),

organizations as (

    select * from {{ ref('stg_organizations') }}

),

final as (

    select
        immunizations.immunization_id::varchar as immunization_id,
        patients.person_id::varchar as person_id,
        immunizations.patient_id::varchar as patient_id,
        immunizations.encounter_id::varchar as encounter_id,
        immunizations.status::varchar as status,
        immunizations.cvx_code::varchar as cvx_code,
        immunizations.vaccine_code::varchar as vaccine_code,
        immunizations.vaccine_name::varchar as vaccine_name,
        immunizations.lot_number::varchar as lot_number,
        coalesce(organizations.name, immunizations.manufacturer)::varchar as manufacturer_name,
        immunizations.source::varchar as source,
        immunizations.location::varchar as location,
        immunizations.dose_number::bigint as dose_number,
        (immunizations.status = 'completed')::boolean as is_given,
        immunizations.is_primary_source::boolean as is_primary_source,
        immunizations.occurred_date::date as administered_date,
        immunizations.occurred_at::timestamptz as administered_at,
        immunizations.recorded_at::timestamptz as recorded_at,
        {{ traces([
            ('Immunization', 'immunizations.immunization_id'),
            ('Patient', 'patients.patient_id'),
            ('Organization', 'organizations.organization_id'),
        ]) }} as traces

    from immunizations
    left join patients on immunizations.patient_id = patients.patient_id
    left join organizations on immunizations.manufacturer_organization_id = organizations.organization_id

)

select * from final
