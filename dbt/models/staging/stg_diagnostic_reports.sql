with

source as (

    select * from {{ source('views', 'diagnostic_report') }}

),

final as (

    select
        diagnostic_report_id,
        patient_id,
        encounter_id,
        report_number,
        status,
        category_code,
        report_code,
        report_system,
        {{ concept_name('report') }} as report_name,
        conclusion,
        observation_ids,
        {{ fhir_moment('effective_text') }} as effective_at,
        {{ fhir_moment('effective_start_text') }} as effective_start_at,
        {{ fhir_moment('issued_text') }} as issued_at,
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
