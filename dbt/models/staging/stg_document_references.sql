with

source as (

    select * from {{ source('views', 'document_reference') }}

),

final as (

    select
        document_reference_id,
        patient_id,
        status,
        document_status,
        type_code,
        type_system,
        {{ concept_name('type') }} as type_name,
        category_code,
        category_system,
        {{ concept_name('category') }} as category_name,
        description,
        encounter_id,
        author_practitioner_id,
        custodian_organization_id,
        content_type,
        url,
        title,
        {{ fhir_date('told_text') }} as told_date,
        {{ fhir_moment('told_text') }} as told_at,
        {{ fhir_date('period_start_text') }} as period_start_date,
        {{ fhir_moment('period_start_text') }} as period_start_at,
        {{ fhir_date('period_end_text') }} as period_end_date,
        {{ fhir_moment('period_end_text') }} as period_end_at,
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
