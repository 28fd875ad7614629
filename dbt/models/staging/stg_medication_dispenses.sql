with

source as (

    select * from {{ source('views', 'medication_dispense') }}

),

final as (

    select
        medication_dispense_id,
        patient_id,
        status,
        medication_code,
        medication_system,
        {{ concept_name('medication') }} as medication_name,
        medication_id,
        encounter_id,
        medication_request_id,
        quantity,
        quantity_unit,
        days_supply,
        dosage_text,
        {{ fhir_date('prepared_text') }} as prepared_date,
        {{ fhir_moment('prepared_text') }} as prepared_at,
        {{ fhir_date('handed_over_text') }} as handed_over_date,
        {{ fhir_moment('handed_over_text') }} as handed_over_at,
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
