with

source as (

    select * from {{ source('views', 'allergy_intolerance') }}

),

final as (

    select
        allergy_intolerance_id,
        patient_id,
        clinical_status,
        verification_status,
        type_code,
        criticality,
        allergy_code,
        allergy_system,
        {{ concept_name('allergy') }} as allergy_name,
        onset_text,
        category_codes,
        {{ fhir_moment('onset_text') }} as onset_at,
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
