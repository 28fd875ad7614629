with

source as (

    select * from {{ source('views', 'practitioner') }}

),

final as (

    select
        practitioner_id,
        patient_id,
        npi,
        identifier_value,
        family_name,
        given_names,
        name_text,
        gender,
        qualification_code,
        is_active,
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
