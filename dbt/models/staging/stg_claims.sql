with

source as (

    select * from {{ source('views', 'claim') }}

),

final as (

    select
        claim_id,
        patient_id,
        billing_organization_id,
        billing_practitioner_id,
        payer_organization_id,
        coverage_id,
        facility_location_id,
        encounter_id,
        claim_number,
        patient_control_number,
        status,
        type_code,
        use_code,
        payer_name,
        coverage_name,
        diagnosis_code,
        diagnosis_system,
        currency,
        line_count,
        billed_amount,
        {{ fhir_date('service_start_text') }} as service_start_date,
        {{ fhir_date('service_end_text') }} as service_end_date,
        {{ fhir_moment('created_text') }} as created_at,
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
