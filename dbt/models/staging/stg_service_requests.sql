with

source as (

    select * from {{ source('views', 'service_request') }}

),

final as (

    select
        service_request_id,
        patient_id,
        status,
        intent_code,
        priority_code,
        order_number,
        service_code,
        service_system,
        {{ concept_name('service') }} as service_name,
        category_code,
        category_system,
        {{ concept_name('category') }} as category_name,
        reason_code,
        reason_system,
        {{ concept_name('reason') }} as reason_name,
        encounter_id,
        requester_practitioner_id,
        performer_practitioner_id,
        {{ fhir_date('occurs_text') }} as occurs_date,
        {{ fhir_moment('occurs_text') }} as occurs_at,
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
