with

source as (

    select * from {{ source('views', 'encounter') }}

),

final as (

    select
        encounter_id,
        patient_id,
        practitioner_id,
        attending_practitioner_id,
        organization_id,
        location_id,
        visit_number,
        status,
        class_code,
        class_display,
        type_code,
        type_system,
        {{ concept_name('type') }} as type_name,
        service_type_code,
        service_type_system,
        {{ concept_name('service_type') }} as service_type_name,
        reason_code,
        reason_system,
        {{ concept_name('reason') }} as reason_name,
        discharge_disposition_code,
        {{ fhir_date('started_text') }} as started_date,
        {{ fhir_moment('started_text') }} as started_at,
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
