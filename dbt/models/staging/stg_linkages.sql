with

source as (

    select * from {{ source('views', 'linkage') }}

),

final as (

    select
        linkage_id,
        patient_id,
        surviving_patient_id,
        merged_patient_id,
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
