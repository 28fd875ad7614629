with

source as (

    select * from {{ source('views', 'explanation_of_benefit_item') }}

),

final as (

    select
        explanation_of_benefit_id || '/' || item_position as explanation_of_benefit_item_id,
        explanation_of_benefit_id,
        patient_id,
        line_item_number,
        service_code,
        service_system,
        {{ concept_name('service') }} as service_name,
        revenue_code,
        place_of_service_code,
        modifier_codes,
        item_position,
        line_number,
        quantity,
        unit_amount,
        billed_amount,
        {{ fhir_date('serviced_text') }} as serviced_date,
        {{ fhir_date('service_start_text') }} as service_start_date,
        {{ fhir_date('service_end_text') }} as service_end_date,
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
