with

source as (

    select * from {{ source('views', 'immunization') }}

),

final as (

    select
        immunization_id,
        patient_id,
        encounter_id,
        practitioner_id,
        status,
        vaccine_code,
        vaccine_system,
        {{ concept_name('vaccine') }} as vaccine_name,
        cvx_code,
        lot_number,
        manufacturer,
        manufacturer_organization_id,
        site_code,
        route_code,
        dose_unit,
        occurred_text,
        coalesce(dose_number, try_cast(dose_number_text as integer)) as dose_number,
        dose_quantity,
        is_primary_source,
        {{ fhir_date('expires_text') }} as expires_date,
        {{ fhir_date('occurred_text') }} as occurred_date,
        {{ fhir_moment('occurred_text') }} as occurred_at,
        source,
        location,
        message_id,
        message_position,
        version,
        event_at,
        recorded_at

    from source

)

select * from final
