with

totals as (

    select * from {{ ref('stg_explanation_of_benefit_totals') }}

),

final as (

    select
        explanation_of_benefit_id,
        sum(amount) filter (where category_code = 'submitted') as billed_amount,
        sum(amount) filter (where category_code = 'eligible') as allowed_amount,
        sum(amount) filter (where category_code = 'benefit') as paid_amount,
        sum(amount) filter (where category_code = 'memberliability') as patient_responsibility_amount

    from totals
    group by explanation_of_benefit_id

)

select * from final
