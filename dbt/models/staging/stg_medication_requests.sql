with

source as (

    select * from {{ source('views', 'medication_request') }}

),

final as (

    select
        medication_request_id,
        patient_id,
        encounter_id,
        requester_practitioner_id,
        status,
        intent_code,
        medication_code,
        medication_system,
        {{ concept_name('medication') }} as medication_name,
        dosage_text,
        {{ fhir_moment('authored_text') }} as authored_at,
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
