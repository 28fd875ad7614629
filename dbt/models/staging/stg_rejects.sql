with

source as (

    select * from {{ source('views', 'rejects') }}

),

final as (

    select
        reject_id,
        message_id,
        feed,
        input,
        position,
        kind,
        severity,
        code,
        reason,
        location,
        created_at

    from source

)

select * from final
