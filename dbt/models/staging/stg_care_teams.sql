with

source as (

    select * from {{ source('views', 'care_team') }}

),

final as (

    select
        care_team_id,
        patient_id,
        status,
        name,
        category_code,
        category_system,
        {{ concept_name('category') }} as category_name,
        participant_count,
        practitioner_id,
        encounter_id,
        organization_id,
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
