with

source as (

    select * from {{ source('views', 'explanation_of_benefit') }}

),

final as (

    select
        explanation_of_benefit_id,
        patient_id,
        billing_organization_id,
        billing_practitioner_id,
        payer_organization_id,
        payer_sequence,
        status_code,
        forwarded_to_name,
        earlier_payer_control_number,
        coverage_id,
        claim_id,
        patient_control_number,
        payer_control_number,
        identifier_value,
        status,
        type_code,
        use_code,
        outcome_code,
        disposition,
        payer_name,
        coverage_name,
        payment_number,
        line_count,
        payment_amount,
        {{ fhir_date('payment_text') }} as payment_date,
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
