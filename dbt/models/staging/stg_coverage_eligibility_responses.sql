with

source as (

    select * from {{ source('views', 'coverage_eligibility_response') }}

),

final as (

    select
        coverage_eligibility_response_id,
        patient_id,
        asked_patient_id,
        payer_organization_id,
        coverage_id,
        status,
        outcome_code,
        disposition,
        request_number,
        payer_name,
        plan_name,
        error_code,
        is_inforce,
        {{ fhir_date('coalesce(serviced_text, service_start_text)') }} as serviced_date,
        {{ fhir_moment('created_text') }} as answered_at,
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
