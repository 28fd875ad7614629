with

source as (

    select * from {{ source('views', 'goal') }}

),

final as (

    select
        goal_id,
        patient_id,
        status,
        achievement_code,
        goal_code,
        goal_system,
        {{ concept_name('goal') }} as goal_name,
        category_code,
        category_system,
        {{ concept_name('category') }} as category_name,
        condition_id,
        {{ fhir_date('started_text') }} as started_date,
        {{ fhir_date('due_text') }} as due_date,
        {{ fhir_date('status_changed_text') }} as status_changed_date,
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
