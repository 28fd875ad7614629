with

source as (

    select * from {{ source('views', 'consent') }}

),

final as (

    select
        consent_id,
        patient_id,
        status,
        scope_code,
        scope_system,
        {{ concept_name('scope') }} as scope_name,
        category_code,
        category_system,
        {{ concept_name('category') }} as category_name,
        policy_code,
        policy_system,
        {{ concept_name('policy') }} as policy_name,
        provision_code,
        provision_count,
        organization_id,
        {{ fhir_date('given_text') }} as given_date,
        {{ fhir_moment('given_text') }} as given_at,
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
