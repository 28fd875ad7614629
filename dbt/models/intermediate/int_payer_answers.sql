-- Where a payer answers about more than it was asked and takes nothing back, it answered again: what it paid counts, and
-- of its denials only the last, if it paid nothing.
with

accounts as (

    select * from {{ ref('int_claim_accounts') }}

),

claims as (

    select * from {{ ref('claims') }}

),

payments as (

    select * from {{ ref('claim_payments') }}

),

asked as (

    select
        accounts.account_id,
        accounts.turn,
        accounts.claim_id,
        claims.payer_name,
        claims.billed_amount,
        claims.created_at

    from accounts
    inner join claims on accounts.claim_id = claims.claim_id
    where accounts.is_standing

),

answers as (

    select
        accounts.account_id,
        accounts.turn,
        payments.*,
        payments.contractual_adjustment_amount
        + payments.payer_adjustment_amount
        + payments.other_adjustment_amount
        - payments.prior_payer_adjustment_amount as adjusted_amount,
        sum(payments.billed_amount) over turns as answered_amount,
        sum(if(payments.is_reversal, -1, 1) * if(payments.paid_amount = 0, 0, 1)) over turns as standing_payments,
        max(
            case
                when payments.paid_amount = 0 and not payments.is_reversal
                    then row(payments.answered_at, payments.claim_payment_id)
            end
        ) over turns as last_denial

    from payments
    inner join accounts on payments.claim_id = accounts.claim_id
    window turns as (partition by accounts.account_id, accounts.turn)

),

counted as (

    select
        answers.*,
        (
            coalesce(answers.answered_amount <= asked.billed_amount, true)
            or answers.paid_amount <> 0
            or (
                answers.standing_payments <= 0
                and row(answers.answered_at, answers.claim_payment_id) = answers.last_denial
            )
        ) as is_counted

    from answers
    left join asked on answers.account_id = asked.account_id and answers.turn = asked.turn

),

sums as (

    select
        account_id,
        turn,
        sum(paid_amount) as paid_amount,
        coalesce(sum(adjusted_amount) filter (where is_counted), 0) as adjusted_amount,
        coalesce(sum(patient_adjustment_amount) filter (where is_counted), 0) as patient_responsibility_amount,
        count(*) filter (where not is_reversal) > count(*) filter (where is_reversal) as is_answered,
        max(answered_at) as last_answered_at,
        arg_max(payer_name, row(answered_at, claim_payment_id)) as payer_name,
        arg_max(forwarded_to_name, row(answered_at, claim_payment_id)) as forwarded_to_name,
        list_sort(list(claim_payment_id)) as claim_payment_ids

    from counted
    group by account_id, turn

),

final as (

    select
        coalesce(asked.account_id, sums.account_id) as account_id,
        coalesce(asked.turn, sums.turn) as turn,
        asked.claim_id,
        coalesce(asked.payer_name, sums.payer_name) as payer_name,
        sums.forwarded_to_name,
        coalesce(sums.paid_amount, 0) as paid_amount,
        coalesce(sums.adjusted_amount, 0) as adjusted_amount,
        coalesce(sums.patient_responsibility_amount, 0) as patient_responsibility_amount,
        -- A claim sent anew after the last answer waits for one.
        (
            coalesce(sums.is_answered, false) and coalesce(sums.last_answered_at >= asked.created_at, true)
        ) as is_answered,
        asked.claim_id is not null as is_asked,
        coalesce(sums.claim_payment_ids, []) as claim_payment_ids

    from asked
    full outer join sums on asked.account_id = sums.account_id and asked.turn = sums.turn

)

select * from final
