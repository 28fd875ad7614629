with

source as (

    select * from {{ source('views', 'organization') }}

),

final as (

    select
        organization_id,
        patient_id,
        npi,
        identifier_value,
        name,
        type_code,
        type_system,
        {{ concept_name('type') }} as type_name,
        phone,
        address_line,
        city,
        state,
        postal_code,
        is_active,
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
