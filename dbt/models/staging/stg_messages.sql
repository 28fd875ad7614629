with

source as (

    select * from {{ source('views', 'messages') }}

),

final as (

    select
        message_id,
        arrival,
        feed,
        source,
        location,
        format,
        kind,
        control_id,
        size,
        input,
        position,
        state,
        sent_at,
        repeats,
        received_at,
        processed_at,
        attempts,
        records,
        processed,
        filtered,
        rejected,
        resources,
        changed,
        mapping_version

    from source

)

select * from final
