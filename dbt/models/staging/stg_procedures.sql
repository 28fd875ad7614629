with

source as (

    select * from {{ source('views', 'procedure') }}

),

final as (

    select
        procedure_id,
        patient_id,
        status,
        procedure_code,
        procedure_system,
        {{ concept_name('procedure') }} as procedure_name,
        category_code,
        category_system,
        {{ concept_name('category') }} as category_name,
        reason_code,
        reason_system,
        {{ concept_name('reason') }} as reason_name,
        body_site_code,
        outcome_code,
        encounter_id,
        practitioner_id,
        location_id,
        {{ fhir_date('performed_text') }} as performed_date,
        {{ fhir_moment('performed_text') }} as performed_at,
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
