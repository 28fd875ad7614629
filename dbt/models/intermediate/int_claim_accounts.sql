-- The claims to all payers of one service bear one number of the provider, which is an account. Of those to one payer the
-- last counts, and none if that one takes the claim back (CLM05-3 8).
with

claims as (

    select
        *,
        coalesce(source || '|' || patient_control_number, claim_id) as account_id,
        coalesce(nullif(strpos('PSTABCDEFGH', payer_sequence), 0), 12) as turn

    from {{ ref('stg_claims') }}
    where use_code is distinct from 'predetermination'

),

last_claims as (

    select
        account_id,
        turn,
        arg_max(claim_id, row(created_at, recorded_at, claim_id)) as claim_id

    from claims
    group by account_id, turn

),

standing as (

    select
        last_claims.account_id,
        last_claims.turn,
        last_claims.claim_id

    from last_claims
    inner join claims on last_claims.claim_id = claims.claim_id
    where
        claims.frequency_code is distinct from '8'
        and claims.status is distinct from 'cancelled'
        and claims.status is distinct from 'entered-in-error'

),

first_claims as (

    select
        account_id,
        arg_min(claim_id, turn) as claim_id

    from standing
    group by account_id

),

final as (

    select
        claims.claim_id,
        claims.account_id,
        claims.turn,
        standing.claim_id is not null as is_standing,
        first_claims.claim_id is not null as is_billed

    from claims
    left join standing on claims.claim_id = standing.claim_id
    left join first_claims on claims.claim_id = first_claims.claim_id

)

select * from final
