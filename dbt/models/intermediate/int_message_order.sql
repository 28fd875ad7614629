-- A feed sends in order: what was sent before something that has arrived already is out of order, by a day or more late.
with

messages as (

    select * from {{ ref('stg_messages') }}

),

ordered as (

    select
        *,
        max(sent_at) over (
            partition by feed order by arrival rows between unbounded preceding and 1 preceding
        ) as sent_before_at

    from messages

),

final as (

    select
        *,
        repeats > 0 as is_repeated,
        coalesce(
            sent_at < sent_before_at and sent_at >= sent_before_at - interval 24 hours, false
        ) as is_out_of_order,
        coalesce(sent_at < sent_before_at - interval 24 hours, false) as is_late

    from ordered

)

select * from final
