with

at_claim as (

    select * from {{ ref('stg_explanation_of_benefit_adjudications') }}

),

at_line as (

    select * from {{ ref('stg_explanation_of_benefit_item_adjudications') }}

),

items as (

    select * from {{ ref('stg_explanation_of_benefit_items') }}

),

payments as (

    select * from {{ ref('claim_payments') }}

),

adjustments as (

    select
        explanation_of_benefit_adjudication_id as claim_adjustment_id,
        explanation_of_benefit_id,
        category_code,
        reason_code,
        null as item_position,
        null as line_number,
        quantity,
        amount,
        recorded_at

    from at_claim
    where category_system = '{{ var("adjustment_groups") }}'
    union all
    select
        explanation_of_benefit_item_adjudication_id as claim_adjustment_id,
        explanation_of_benefit_id,
        category_code,
        reason_code,
        item_position,
        line_number,
        quantity,
        amount,
        recorded_at

    from at_line
    where category_system = '{{ var("adjustment_groups") }}'

),

final as (

    select
        adjustments.claim_adjustment_id::varchar as claim_adjustment_id,
        payments.claim_payment_id::varchar as claim_payment_id,
        payments.claim_id::varchar as claim_id,
        payments.person_id::varchar as person_id,
        payments.payer_name::varchar as payer_name,
        adjustments.category_code::varchar as group_code,
        adjustments.reason_code::varchar as reason_code,
        items.service_code::varchar as procedure_code,
        payments.source::varchar as source,
        payments.location::varchar as location,
        adjustments.line_number::bigint as line_number,
        adjustments.quantity::double as units,
        adjustments.amount::decimal(18, 2) as adjusted_amount,
        payments.is_reversal::boolean as is_reversal,
        payments.payment_date::date as payment_date,
        adjustments.recorded_at::timestamptz as recorded_at,
        payments.traces::varchar[] as traces

    from adjustments
    inner join payments on adjustments.explanation_of_benefit_id = payments.claim_payment_id
    left join items
        on adjustments.explanation_of_benefit_id = items.explanation_of_benefit_id
        and adjustments.item_position = items.item_position

)

select * from final
