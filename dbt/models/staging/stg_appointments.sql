with

source as (

    select * from {{ source('views', 'appointment') }}

),

final as (

    select
        appointment_id,
        patient_id,
        participant_patient_id,
        practitioner_id,
        location_id,
        appointment_number,
        status,
        cancellation_reason_code,
        cancellation_reason_system,
        {{ concept_name('cancellation_reason') }} as cancellation_reason_name,
        service_type_code,
        service_type_system,
        {{ concept_name('service_type') }} as service_type_name,
        appointment_type_code,
        appointment_type_system,
        {{ concept_name('appointment_type') }} as appointment_type_name,
        reason_code,
        reason_system,
        {{ concept_name('reason') }} as reason_name,
        description,
        minutes,
        {{ fhir_date('starts_text') }} as starts_date,
        {{ fhir_moment('starts_text') }} as starts_at,
        {{ fhir_moment('ends_text') }} as ends_at,
        {{ fhir_moment('created_text') }} as created_at,
        source,
        location,
        message_id,
        message_position,
        version,
        event_at,
        first_event_at,
        recorded_at

    from source

)

select * from final
