-- A line is known again by the number its sender gave it, else by its service.
with

items as (

    select * from {{ ref('stg_explanation_of_benefit_items') }}

),

adjudications as (

    select * from {{ ref('stg_explanation_of_benefit_item_adjudications') }}

),

paid as (

    select
        explanation_of_benefit_id,
        item_position,
        sum(amount) as paid_amount

    from adjudications
    where category_code = 'benefit'
    group by explanation_of_benefit_id, item_position

),

final as (

    select
        items.explanation_of_benefit_item_id as decided_line_id,
        items.explanation_of_benefit_id,
        items.item_position,
        items.line_number,
        coalesce(items.line_item_number, items.service_code) as line_key,
        items.service_code as procedure_code,
        coalesce(items.serviced_date, items.service_start_date) as service_date,
        items.billed_amount,
        paid.paid_amount

    from items
    left join paid
        on items.explanation_of_benefit_id = paid.explanation_of_benefit_id
        and items.item_position = paid.item_position

)

select * from final
