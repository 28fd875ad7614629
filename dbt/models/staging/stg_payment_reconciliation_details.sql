with

source as (

    select * from {{ source('views', 'payment_reconciliation_detail') }}

),

final as (

    select
        payment_reconciliation_id || '/' || detail_position as payment_reconciliation_detail_id,
        payment_reconciliation_id,
        patient_id,
        paying_patient_id,
        payer_organization_id,
        encounter_id,
        explanation_of_benefit_id,
        status,
        type_code,
        group_code,
        reason_code,
        reason_system,
        payment_number,
        trace_number,
        detail_number,
        claim_number,
        payer_name,
        detail_position,
        payment_amount,
        amount,
        {{ fhir_date('payment_text') }} as payment_date,
        {{ fhir_date('detail_text') }} as detail_date,
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
