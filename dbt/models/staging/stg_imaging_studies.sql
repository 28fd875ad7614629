with

source as (

    select * from {{ source('views', 'imaging_study') }}

),

final as (

    select
        imaging_study_id,
        patient_id,
        status,
        modality_code,
        first_modality_code,
        body_site_code,
        procedure_code,
        procedure_system,
        {{ concept_name('procedure') }} as procedure_name,
        series_count,
        instance_count,
        description,
        encounter_id,
        service_request_id,
        {{ fhir_date('started_text') }} as started_date,
        {{ fhir_moment('started_text') }} as started_at,
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
