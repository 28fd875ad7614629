with

source as (

    select * from {{ source('views', 'explanation_of_benefit_total') }}

),

final as (

    select
        explanation_of_benefit_id || '/' || total_position as explanation_of_benefit_total_id,
        explanation_of_benefit_id,
        patient_id,
        category_code,
        category_system,
        total_position,
        amount,
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
