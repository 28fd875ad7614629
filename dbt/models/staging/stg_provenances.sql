with

source as (

    select * from {{ source('views', 'provenance') }}

),

final as (

    select
        provenance_id,
        patient_id,
        activity_code,
        activity_system,
        {{ concept_name('activity') }} as activity_name,
        target_count,
        target_text,
        agent_practitioner_id,
        agent_organization_id,
        agent_name,
        {{ fhir_date('told_text') }} as told_date,
        {{ fhir_moment('told_text') }} as told_at,
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
