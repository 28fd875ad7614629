-- Whoever missed an appointment is seen again by a visit, or an appointment kept or booked, that begins after it.
with

appointments as (

    select * from {{ ref('appointments') }}

),

encounters as (

    select * from {{ ref('encounters') }}

),

missed as (

    select
        *,
        coalesce(person_id, patient_id) as who

    from appointments
    where is_no_show

),

occasions as (

    select coalesce(person_id, patient_id) as who, started_at as seen_at, 'Encounter/' || encounter_id as trace
    from encounters
    where status not in ('planned', 'cancelled', 'entered-in-error')
    union all
    select coalesce(person_id, patient_id) as who, starts_at as seen_at, 'Appointment/' || appointment_id as trace
    from appointments
    where status in ('booked', 'arrived', 'checked-in', 'fulfilled')

),

-- A visit begins when its appointment does: of both one is told.
meetings as (

    select
        who,
        seen_at,
        min(trace) as trace

    from occasions
    group by who, seen_at

),

final as (

    select
        missed.appointment_id::varchar as no_show_id,
        missed.person_id::varchar as person_id,
        missed.patient_id::varchar as patient_id,
        missed.practitioner_name::varchar as practitioner_name,
        missed.appointment_type_name::varchar as appointment_type_name,
        missed.location_name::varchar as location_name,
        missed.source::varchar as source,
        missed.location::varchar as location,
        -- First spoken of after it was missed: nobody said when it was booked.
        case
            when missed.booked_at <= missed.starts_at then date_sub('day', missed.booked_at, missed.starts_at)
        end::bigint as days_booked_ahead,
        (meetings.seen_at is not null)::boolean as is_seen_again,
        meetings.seen_at::timestamptz as next_seen_at,
        missed.starts_date::date as starts_date,
        missed.starts_at::timestamptz as starts_at,
        missed.recorded_at::timestamptz as recorded_at,
        list_filter(list_append(missed.traces, meetings.trace), lambda part: part is not null)::varchar[] as traces

    from missed
    asof left join meetings
        on missed.who = meetings.who
        and missed.starts_at < meetings.seen_at

)

select * from final
