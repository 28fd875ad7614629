with

source as (

    select * from {{ source('views', 'explanation_of_benefit_adjudication') }}

),

final as (

    select
        explanation_of_benefit_id || '/' || adjudication_position as explanation_of_benefit_adjudication_id,
        explanation_of_benefit_id,
        patient_id,
        category_code,
        category_system,
        reason_code,
        reason_system,
        adjudication_position,
        amount,
        quantity,
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
