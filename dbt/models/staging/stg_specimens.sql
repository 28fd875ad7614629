with

source as (

    select * from {{ source('views', 'specimen') }}

),

final as (

    select
        specimen_id,
        patient_id,
        status,
        accession_number,
        type_code,
        type_system,
        {{ concept_name('type') }} as type_name,
        body_site_code,
        service_request_id,
        collector_practitioner_id,
        {{ fhir_date('collected_text') }} as collected_date,
        {{ fhir_moment('collected_text') }} as collected_at,
        {{ fhir_date('received_text') }} as received_date,
        {{ fhir_moment('received_text') }} as received_at,
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
