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
        -- A claim that does not say which payer it asks is taken by the place of that payer among all.
        coalesce(
            payer_sequence, case coalesce(insurance_position, 1) when 1 then 'P' when 2 then 'S' else 'T' end
        ) as payer_sequence,
        frequency_code,
        replaced_payer_control_number,
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
        diagnosis_numbers,
        diagnosis_codes,
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
