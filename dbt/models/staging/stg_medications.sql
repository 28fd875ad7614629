with

source as (

    select * from {{ source('views', 'medication') }}

),

final as (

    select
        medication_id,
        patient_id,
        medication_code,
        medication_system,
        {{ concept_name('medication') }} as medication_name,
        rxnorm_code,
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
