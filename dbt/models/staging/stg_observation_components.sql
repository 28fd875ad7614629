with

source as (

    select * from {{ source('views', 'observation_component') }}

),

final as (

    select
        observation_id || '/' || component_position as observation_component_id,
        observation_id,
        patient_id,
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
        component_position,
        value_number,
        value_integer,
        value_low,
        value_high,
        value_numerator,
        value_denominator,
        reference_low,
        reference_high,
        value_boolean,
        {{ fhir_moment('value_moment_text') }} as value_at,
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
