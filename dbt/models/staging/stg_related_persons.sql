with

source as (

    select * from {{ source('views', 'related_person') }}

),

final as (

    select
        related_person_id,
        patient_id,
        is_active,
        relationship_code,
        relationship_system,
        {{ concept_name('relationship') }} as relationship_name,
        family_name,
        given_name,
        name_text,
        gender,
        phone,
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
