with

source as (

    select * from {{ source('views', 'explanation_of_benefit_item_adjudication') }}

),

final as (

    select
        explanation_of_benefit_id || '/' || item_position || '/' || adjudication_position as explanation_of_benefit_item_adjudication_id,
        explanation_of_benefit_id,
        patient_id,
        category_code,
        category_system,
        reason_code,
        reason_system,
        item_position,
        line_number,
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
