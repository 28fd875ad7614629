with

source as (

    select * from {{ source('views', 'family_member_history') }}

),

final as (

    select
        family_member_history_id || '/' || condition_position as family_member_history_condition_id,
        family_member_history_id,
        patient_id,
        status,
        relationship_code,
        relationship_system,
        {{ concept_name('relationship') }} as relationship_name,
        {{ fhir_date('told_text') }} as told_date,
        {{ fhir_moment('told_text') }} as told_at,
        condition_position,
        condition_code,
        condition_system,
        {{ concept_name('condition') }} as condition_name,
        outcome_code,
        onset_age,
        onset_age_unit,
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
