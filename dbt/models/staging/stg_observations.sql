with

source as (

    select * from {{ source('views', 'observation') }}

),

final as (

    select
        observation_id,
        patient_id,
        encounter_id,
        performer_organization_id,
        performer_practitioner_id,
        identifier_value,
        status,
        observation_code,
        observation_system,
        {{ concept_name('observation') }} as observation_name,
        loinc_code,
        value_comparator,
        value_unit,
        value_unit_code,
        value_string,
        value_time_text,
        value_code,
        value_system,
        {{ concept_name('value') }} as value_name,
        absent_reason_code,
        interpretation_code,
        reference_text,
        category_codes,
        value_number,
        value_integer,
        value_low,
        value_high,
        value_numerator,
        value_denominator,
        reference_low,
        reference_high,
        component_count,
        value_boolean,
        {{ fhir_moment('value_moment_text') }} as value_at,
        {{ fhir_moment('effective_text') }} as effective_at,
        {{ fhir_moment('effective_start_text') }} as effective_start_at,
        {{ fhir_moment('effective_instant_text') }} as effective_instant_at,
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
