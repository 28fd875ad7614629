with

source as (

    select * from {{ source('views', 'charge_item') }}

),

final as (

    select
        charge_item_id,
        patient_id,
        encounter_id,
        practitioner_id,
        payer_organization_id,
        charge_number,
        account_number,
        status,
        transaction_code,
        service_code,
        service_system,
        {{ concept_name('service') }} as service_name,
        payer_name,
        diagnosis_code,
        quantity,
        amount,
        {{ fhir_date('occurred_text') }} as service_date,
        {{ fhir_date('entered_text') }} as entered_date,
        {{ fhir_moment('entered_text') }} as entered_at,
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
