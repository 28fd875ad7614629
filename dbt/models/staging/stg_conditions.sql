with

source as (

    select * from {{ source('views', 'condition') }}

),

final as (

    select
        condition_id,
        patient_id,
        encounter_id,
        clinical_status,
        verification_status,
        category_code,
        condition_code,
        condition_system,
        {{ concept_name('condition') }} as condition_name,
        icd_10_cm_code,
        snomed_code,
        onset_text,
        {{ fhir_date('coalesce(onset_text, onset_start_text)') }} as onset_date,
        {{ fhir_date('coalesce(abatement_text, abatement_end_text)') }} as abated_date,
        {{ fhir_date('recorded_text') }} as recorded_date,
        {{ fhir_moment('onset_text') }} as onset_at,
        {{ fhir_moment('abatement_text') }} as abated_at,
        {{ fhir_moment('recorded_text') }} as asserted_at,
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
