with

source as (

    select * from {{ source('views', 'location') }}

),

final as (

    select
        location_id,
        patient_id,
        organization_id,
        part_of_location_id,
        identifier_value,
        name,
        status,
        mode_code,
        type_code,
        type_system,
        {{ concept_name('type') }} as type_name,
        address_line,
        city,
        state,
        postal_code,
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
