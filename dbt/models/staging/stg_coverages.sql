with

source as (

    select * from {{ source('views', 'coverage') }}

),

final as (

    select
        coverage_id,
        patient_id,
        beneficiary_patient_id,
        payer_organization_id,
        status,
        type_code,
        type_system,
        {{ concept_name('type') }} as type_name,
        member_id,
        member_identifier,
        relationship_code,
        payer_name,
        group_number,
        plan_number,
        plan_name,
        coverage_order,
        {{ fhir_moment('starts_text') }} as starts_at,
        {{ fhir_moment('ends_text') }} as ends_at,
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
