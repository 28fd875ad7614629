with

source as (

    select * from {{ source('views', 'media') }}

),

final as (

    select
        media_id,
        patient_id,
        status,
        type_code,
        type_system,
        {{ concept_name('type') }} as type_name,
        modality_code,
        modality_system,
        {{ concept_name('modality') }} as modality_name,
        body_site_code,
        content_type,
        url,
        encounter_id,
        {{ fhir_date('created_text') }} as created_date,
        {{ fhir_moment('created_text') }} as created_at,
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
