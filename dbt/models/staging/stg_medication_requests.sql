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
        requester_name,
        status,
        intent_code,
        medication_code,
        medication_system,
        rxnorm_code,
        medication_id,
        coalesce({{ concept_name('medication') }}, medication_reference_text) as medication_name,
        dosage_text,
        {{ fhir_date('authored_text') }} as authored_date,
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
