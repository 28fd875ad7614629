-- A payer answers with the claim's id, or with the number the provider gave it; a number used again means the last one.
with

explanations as (

    select * from {{ ref('stg_explanations_of_benefit') }}

),

claims as (

    select * from {{ ref('stg_claims') }}

),

numbered as (

    select
        source,
        patient_control_number,
        arg_max(claim_id, row(created_at, claim_id)) as claim_id

    from claims
    where patient_control_number is not null
    group by source, patient_control_number

),

final as (

    select
        explanations.explanation_of_benefit_id,
        coalesce(claims.claim_id, numbered.claim_id) as claim_id

    from explanations
    left join claims on explanations.claim_id = claims.claim_id
    left join numbered
        on explanations.source = numbered.source
        and explanations.patient_control_number = numbered.patient_control_number
    where coalesce(claims.claim_id, numbered.claim_id) is not null

)

select * from final
