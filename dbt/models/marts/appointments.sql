with

appointments as (

    select * from {{ ref('stg_appointments') }}

),

patients as (

    select * from {{ ref('int_patient_persons') }}

),

practitioners as (

    select * from {{ ref('stg_practitioners') }}

),

locations as (

    select * from {{ ref('stg_locations') }}

),

final as (

    select
        appointments.appointment_id::varchar as appointment_id,
        patients.person_id::varchar as person_id,
        coalesce(appointments.participant_patient_id, appointments.patient_id)::varchar as patient_id,
        appointments.practitioner_id::varchar as practitioner_id,
        appointments.location_id::varchar as location_id,
        appointments.appointment_number::varchar as appointment_number,
        appointments.status::varchar as status,
        appointments.appointment_type_code::varchar as appointment_type_code,
        appointments.appointment_type_name::varchar as appointment_type_name,
        appointments.service_type_name::varchar as service_type_name,
        appointments.reason_name::varchar as reason_name,
        appointments.cancellation_reason_name::varchar as cancellation_reason_name,
        {{ person_name('practitioners') }}::varchar as practitioner_name,
        locations.name::varchar as location_name,
        appointments.source::varchar as source,
        appointments.location::varchar as location,
        coalesce(
            appointments.minutes, date_diff('minute', appointments.starts_at, appointments.ends_at)
        )::bigint as duration_minutes,
        (appointments.status = 'cancelled')::boolean as is_cancelled,
        (appointments.status = 'noshow')::boolean as is_no_show,
        appointments.starts_date::date as starts_date,
        appointments.starts_at::timestamptz as starts_at,
        appointments.ends_at::timestamptz as ends_at,
        appointments.created_at::timestamptz as created_at,
        coalesce(appointments.created_at, appointments.first_event_at)::timestamptz as booked_at,
        appointments.recorded_at::timestamptz as recorded_at,
        {{ traces([
            ('Appointment', 'appointments.appointment_id'),
            ('Patient', 'patients.patient_id'),
            ('Practitioner', 'practitioners.practitioner_id'),
            ('Location', 'locations.location_id'),
        ]) }} as traces

    from appointments
    left join patients
        on coalesce(appointments.participant_patient_id, appointments.patient_id) = patients.patient_id
    left join practitioners on appointments.practitioner_id = practitioners.practitioner_id
    left join locations on appointments.location_id = locations.location_id

)

select * from final
