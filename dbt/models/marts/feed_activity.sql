with

messages as (

    select * from {{ ref('int_message_order') }}

),

final as (

    select
        (feed || '|' || received_at::date)::varchar as feed_activity_id,
        feed::varchar as feed,
        min(source)::varchar as source,
        min(location)::varchar as location,
        min(format)::varchar as format,
        count(*)::bigint as messages,
        sum(size)::bigint as bytes,
        sum(records)::bigint as records,
        sum(processed)::bigint as processed,
        sum(filtered)::bigint as filtered,
        sum(rejected)::bigint as rejected,
        count(*) filter (where is_repeated)::bigint as repeated,
        count(*) filter (where is_out_of_order)::bigint as out_of_order,
        count(*) filter (where is_late)::bigint as late,
        count(*) filter (where state = 'received')::bigint as waiting,
        sum(resources)::bigint as resources,
        sum(changed)::bigint as changed,
        quantile_cont(date_diff('millisecond', received_at, processed_at) / 1000.0, 0.5)::double as median_lag_seconds,
        max(date_diff('millisecond', received_at, processed_at) / 1000.0)::double as longest_lag_seconds,
        received_at::date as received_date,
        min(received_at)::timestamptz as first_received_at,
        max(received_at)::timestamptz as last_received_at,
        -- As many as a person would look through; the messages of a busy day are found by feed and date.
        list_transform(
            list(message_id order by arrival)[1:100], lambda id: {{ trace('Message', 'id') }}
        )::varchar[] as traces

    from messages
    group by feed, received_at::date

)

select * from final
