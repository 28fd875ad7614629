-- Adjustments stand at the claim or at its lines; a remittance never says the same one at both (005010X221 1.10.2).
with

at_claim as (

    select * from {{ ref('stg_explanation_of_benefit_adjudications') }}

),

at_line as (

    select * from {{ ref('stg_explanation_of_benefit_item_adjudications') }}

),

adjudications as (

    select explanation_of_benefit_id, category_system, category_code, reason_code, amount from at_claim
    union all
    select explanation_of_benefit_id, category_system, category_code, reason_code, amount from at_line

),

kinds as (

    select
        explanation_of_benefit_id,
        reason_code,
        amount,
        case
            when category_system = '{{ var("adjustment_groups") }}' then category_code
            when category_code in ('eligible', '{{ var("blue_button") }}line_alowd_chrg_amt') then 'allowed'
            when
                category_code in (
                    '{{ var("blue_button") }}line_coinsrnc_amt', '{{ var("blue_button") }}line_bene_ptb_ddctbl_amt'
                )
                then 'patient'
        end as kind

    from adjudications

),

final as (

    select
        explanation_of_benefit_id,
        sum(amount) filter (where kind = 'CO') as contractual_adjustment_amount,
        sum(amount) filter (where kind = 'PR') as patient_adjustment_amount,
        sum(amount) filter (where kind = 'PI') as payer_adjustment_amount,
        sum(amount) filter (where kind in ('OA', 'CR')) as other_adjustment_amount,
        sum(amount) filter (where kind = 'OA' and reason_code = '23') as prior_payer_adjustment_amount,
        sum(amount) filter (where kind = 'allowed') as allowed_amount,
        sum(amount) filter (where kind = 'patient') as patient_amount

    from kinds
    group by explanation_of_benefit_id

)

select * from final
