with

source as (

    select * from {{ source('views', 'patient') }}

),

final as (

    select
        patient_id,
        replaced_by_patient_id,
        coalesce(official_family_name, any_family_name) as family_name,
        coalesce(official_given_names, any_given_names) as given_names,
        coalesce(official_name_suffix, any_name_suffix) as name_suffix,
        any_name_text as name_text,
        mrn,
        mrn_system,
        mrn_assigner,
        identifier_value,
        gender,
        birth_date_text,
        phone,
        email,
        address_line,
        city,
        state,
        postal_code,
        country,
        birth_sex,
        race_code,
        race,
        ethnicity_code,
        ethnicity,
        marital_status_code,
        language_code,
        is_active,
        is_deceased,
        {{ fhir_date('birth_date_text') }} as birth_date,
        {{ fhir_moment('deceased_text') }} as deceased_at,
        source,
        location,
        message_id,
        message_position,
        version,
        event_at,
        authority,
        first_recorded_at,
        recorded_at

    from source

)

select * from final
