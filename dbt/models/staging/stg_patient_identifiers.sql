with

source as (

    select * from {{ source('views', 'patient_identifier') }}

),

final as (

    select
        patient_id || '/' || identifier_position as patient_identifier_id,
        patient_id,
        identifier_use,
        identifier_type_code,
        identifier_system,
        identifier_value,
        identifier_assigner,
        identifier_position,
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
