with

source as (

    select * from {{ source('views', 'supply_delivery') }}

),

final as (

    select
        supply_delivery_id,
        patient_id,
        status,
        type_code,
        type_system,
        {{ concept_name('type') }} as type_name,
        item_code,
        item_system,
        {{ concept_name('item') }} as item_name,
        quantity,
        {{ fhir_date('occurred_text') }} as occurred_date,
        {{ fhir_moment('occurred_text') }} as occurred_at,
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
