with

explanations as (

    select * from {{ ref('stg_explanations_of_benefit') }}

),

answered as (

    select * from {{ ref('int_answered_claims') }}

),

totals as (

    select * from {{ ref('int_claim_totals') }}

),

adjustments as (

    select * from {{ ref('int_claim_adjustments') }}

),

patients as (

    select * from {{ ref('int_patient_persons') }}

),

organizations as (

    select * from {{ ref('stg_organizations') }}

),

claims as (

    select * from {{ ref('stg_claims') }}

),

amounts as (

    select
        explanations.*,
        answered.claim_id as answered_claim_id,
        coalesce(totals.paid_amount, explanations.payment_amount) as paid_amount,
        coalesce(totals.allowed_amount, adjustments.allowed_amount) as allowed_amount,
        coalesce(
            totals.patient_responsibility_amount, adjustments.patient_adjustment_amount, adjustments.patient_amount
        ) as patient_responsibility_amount,
        totals.billed_amount,
        coalesce(adjustments.contractual_adjustment_amount, 0) as contractual_adjustment_amount,
        coalesce(adjustments.payer_adjustment_amount, 0) as payer_adjustment_amount,
        coalesce(adjustments.other_adjustment_amount, 0) as other_adjustment_amount,
        coalesce(adjustments.patient_adjustment_amount, 0) as patient_adjustment_amount,
        coalesce(adjustments.prior_payer_adjustment_amount, 0) as prior_payer_adjustment_amount

    from explanations
    left join answered on explanations.explanation_of_benefit_id = answered.explanation_of_benefit_id
    left join totals on explanations.explanation_of_benefit_id = totals.explanation_of_benefit_id
    left join adjustments on explanations.explanation_of_benefit_id = adjustments.explanation_of_benefit_id

),

final as (

    select
        amounts.explanation_of_benefit_id::varchar as claim_payment_id,
        amounts.answered_claim_id::varchar as claim_id,
        -- The claim knows its patient better than the remittance, which may name the member only.
        coalesce(claim_patients.person_id, patients.person_id)::varchar as person_id,
        coalesce(claims.patient_id, amounts.patient_id)::varchar as patient_id,
        amounts.payer_organization_id::varchar as payer_organization_id,
        coalesce(organizations.name, amounts.payer_name, amounts.coverage_name)::varchar as payer_name,
        amounts.patient_control_number::varchar as patient_control_number,
        amounts.payer_control_number::varchar as payer_control_number,
        amounts.payment_number::varchar as payment_number,
        amounts.status_code::varchar as status_code,
        amounts.outcome_code::varchar as outcome_code,
        amounts.disposition::varchar as disposition,
        amounts.forwarded_to_name::varchar as forwarded_to_name,
        amounts.source::varchar as source,
        amounts.location::varchar as location,
        amounts.billed_amount::decimal(18, 2) as billed_amount,
        amounts.allowed_amount::decimal(18, 2) as allowed_amount,
        amounts.paid_amount::decimal(18, 2) as paid_amount,
        amounts.contractual_adjustment_amount::decimal(18, 2) as contractual_adjustment_amount,
        amounts.payer_adjustment_amount::decimal(18, 2) as payer_adjustment_amount,
        amounts.other_adjustment_amount::decimal(18, 2) as other_adjustment_amount,
        amounts.patient_adjustment_amount::decimal(18, 2) as patient_adjustment_amount,
        amounts.prior_payer_adjustment_amount::decimal(18, 2) as prior_payer_adjustment_amount,
        amounts.patient_responsibility_amount::decimal(18, 2) as patient_responsibility_amount,
        (amounts.paid_amount = 0 and amounts.billed_amount > 0)::boolean as is_zero_paid,
        (coalesce(amounts.status_code, '') = '22')::boolean as is_reversal,
        amounts.payment_date::date as payment_date,
        amounts.service_start_date::date as service_start_date,
        amounts.service_end_date::date as service_end_date,
        amounts.created_at::timestamptz as answered_at,
        amounts.recorded_at::timestamptz as recorded_at,
        {{ traces([
            ('ExplanationOfBenefit', 'amounts.explanation_of_benefit_id'),
            ('Claim', 'amounts.answered_claim_id'),
            ('Patient', 'patients.patient_id'),
            ('Organization', 'organizations.organization_id'),
        ]) }} as traces

    from amounts
    left join patients on amounts.patient_id = patients.patient_id
    left join claims on amounts.answered_claim_id = claims.claim_id
    left join patients as claim_patients on claims.patient_id = claim_patients.patient_id
    left join organizations on amounts.payer_organization_id = organizations.organization_id

)

select * from final
