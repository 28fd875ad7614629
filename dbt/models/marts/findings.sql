with

messages as (

    select * from {{ ref('int_message_order') }}

),

rejects as (

    select * from {{ ref('stg_rejects') }}

),

encounters as (

    select * from {{ ref('stg_encounters') }}

),

of_messages as (

    select
        unnest(list_filter(
            [
                if(is_repeated, 'repeated', null),
                if(is_out_of_order, 'out_of_order', null),
                if(is_late, 'late', null)
            ],
            lambda kind: kind is not null
        )) as finding_kind,
        message_id as about,
        feed,
        source,
        location,
        message_id,
        control_id,
        repeats,
        date_diff('minute', sent_at, sent_before_at) as minutes,
        received_at as found_at

    from messages
    where is_repeated or is_out_of_order or is_late

),

repeated_or_disordered as (

    select
        *,
        case finding_kind
            when 'repeated' then 'came again ' || repeats || if(repeats = 1, ' time', ' times')
            else 'sent ' || {{ time_span('minutes') }} || ' before a message that had arrived already'
        end as detail

    from of_messages

),

rejected as (

    select
        'rejected' as finding_kind,
        rejects.reject_id as about,
        rejects.feed,
        messages.source,
        messages.location,
        rejects.message_id,
        messages.control_id,
        rejects.position,
        concat_ws(' ', nullif(rejects.location, ''), rejects.reason) as detail,
        rejects.created_at as found_at

    from rejects
    left join messages on rejects.message_id = messages.message_id
    where rejects.severity in ('error', 'fatal')

),

begun as (

    select
        'event_after_message' as finding_kind,
        encounters.encounter_id as about,
        messages.feed,
        encounters.source,
        encounters.location,
        messages.message_id,
        messages.control_id,
        encounters.message_position as position,
        'Encounter' as resource_type,
        encounters.encounter_id as resource_id,
        date_diff('minute', messages.sent_at, encounters.started_at) as minutes,
        messages.received_at as found_at

    from encounters
    inner join messages on encounters.message_id = messages.message_id
    where
        encounters.status not in ('planned', 'cancelled', 'entered-in-error')
        and encounters.started_at > messages.sent_at + interval 1 hour

),

ahead_of_time as (

    select
        *,
        'begins ' || {{ time_span('minutes') }} || ' after the message was sent' as detail

    from begun

),

findings as (

    select * from repeated_or_disordered
    union all by name
    select * from rejected
    union all by name
    select * from ahead_of_time

),

final as (

    select
        (finding_kind || '|' || about)::varchar as finding_id,
        finding_kind::varchar as finding_kind,
        feed::varchar as feed,
        message_id::varchar as message_id,
        control_id::varchar as control_id,
        resource_type::varchar as resource_type,
        resource_id::varchar as resource_id,
        detail::varchar as detail,
        source::varchar as source,
        location::varchar as location,
        position::bigint as position,
        found_at::timestamptz as found_at,
        found_at::timestamptz as recorded_at,
        -- What was refused before it became a message leads to the refusal only.
        list_filter(
            [
                resource_type || '/' || resource_id,
                coalesce({{ trace('Message', 'message_id') }}, {{ trace('Reject', 'about') }})
            ],
            lambda part: part is not null
        )::varchar[] as traces

    from findings

)

select * from final
