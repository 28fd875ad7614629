-- A payer answers with the claim's id, or with the number the provider gave it, which the claims to all payers bear: then
-- the one to this payer is meant, else the one whose turn it is, the last before the answer if there are several.
with

explanations as (

    select * from {{ ref('stg_explanations_of_benefit') }}

),

claims as (

    select * from {{ ref('stg_claims') }}

),

turns as (

    select
        source,
        payer_control_number,
        min(payer_sequence) as payer_sequence

    from explanations
    where payer_control_number is not null
    group by source, payer_control_number

),

numbered as (

    select
        explanations.explanation_of_benefit_id,
        arg_max(
            claims.claim_id,
            row(
                coalesce(claims.payer_organization_id = explanations.payer_organization_id, false),
                claims.payer_sequence = coalesce(explanations.payer_sequence, turns.payer_sequence, 'P'),
                coalesce(claims.created_at <= explanations.created_at, false),
                claims.created_at,
                claims.claim_id
            )
        ) as claim_id

    from explanations
    inner join claims
        on explanations.source = claims.source
        and explanations.patient_control_number = claims.patient_control_number
    left join turns
        on explanations.source = turns.source
        and explanations.payer_control_number = turns.payer_control_number
    group by explanations.explanation_of_benefit_id

),

final as (

    select
        explanations.explanation_of_benefit_id,
        coalesce(claims.claim_id, numbered.claim_id) as claim_id

    from explanations
    left join claims on explanations.claim_id = claims.claim_id
    left join numbered on explanations.explanation_of_benefit_id = numbered.explanation_of_benefit_id
    where coalesce(claims.claim_id, numbered.claim_id) is not null

)

select * from final
