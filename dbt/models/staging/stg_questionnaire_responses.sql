with

source as (

    select * from {{ source('views', 'questionnaire_response') }}

),

final as (

    select
        questionnaire_response_id,
        patient_id,
        status,
        questionnaire,
        item_count,
        encounter_id,
        author_practitioner_id,
        {{ fhir_date('authored_text') }} as authored_date,
        {{ fhir_moment('authored_text') }} as authored_at,
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
