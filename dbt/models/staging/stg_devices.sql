with

source as (

    select * from {{ source('views', 'device') }}

),

final as (

    select
        device_id,
        patient_id,
        status,
        type_code,
        type_system,
        {{ concept_name('type') }} as type_name,
        name,
        manufacturer,
        model_number,
        lot_number,
        serial_number,
        device_identifier,
        {{ fhir_date('manufactured_text') }} as manufactured_date,
        {{ fhir_moment('manufactured_text') }} as manufactured_at,
        {{ fhir_date('expires_text') }} as expires_date,
        {{ fhir_moment('expires_text') }} as expires_at,
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
