with

source as (

    select * from {{ source('views', 'practitioner_role') }}

),

final as (

    select
        practitioner_role_id,
        patient_id,
        is_active,
        practitioner_id,
        organization_id,
        role_code,
        role_system,
        {{ concept_name('role') }} as role_name,
        specialty_code,
        specialty_system,
        {{ concept_name('specialty') }} as specialty_name,
        location_id,
        phone,
        email,
        {{ fhir_date('started_text') }} as started_date,
        {{ fhir_moment('started_text') }} as started_at,
        {{ fhir_date('ended_text') }} as ended_date,
        {{ fhir_moment('ended_text') }} as ended_at,
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
