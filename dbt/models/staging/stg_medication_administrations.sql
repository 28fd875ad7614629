with

source as (

    select * from {{ source('views', 'medication_administration') }}

),

final as (

    select
        medication_administration_id,
        patient_id,
        status,
        medication_code,
        medication_system,
        {{ concept_name('medication') }} as medication_name,
        medication_id,
        encounter_id,
        medication_request_id,
        practitioner_id,
        route_code,
        dose,
        dose_unit,
        {{ fhir_date('given_text') }} as given_date,
        {{ fhir_moment('given_text') }} as given_at,
        {{ fhir_date('started_text') }} as started_date,
        {{ fhir_moment('started_text') }} as started_at,
        {{ fhir_date('ended_text') }} as ended_date,
        {{ fhir_moment('ended_text') }} as ended_at,
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
