with

accounts as (

    select * from {{ ref('int_claim_accounts') }}

),

claims as (

    select * from {{ ref('claims') }}

),

answers as (

    select * from {{ ref('int_payer_answers') }}

),

account_claims as (

    select
        accounts.account_id,
        any_value(claims.patient_control_number) as account_number,
        arg_min(claims.claim_id, row(not accounts.is_billed, accounts.turn, claims.claim_id)) as claim_id,
        coalesce(sum(claims.billed_amount) filter (where accounts.is_billed), 0) as billed_amount,
        list_sort(list(claims.claim_id)) as claim_ids

    from accounts
    inner join claims on accounts.claim_id = claims.claim_id
    group by accounts.account_id

),

first_turns as (

    select
        account_id,
        min(turn) as first_turn

    from answers
    group by account_id

),

account_answers as (

    select
        answers.account_id,
        sum(answers.paid_amount) as paid_amount,
        sum(answers.adjusted_amount) filter (where answers.turn = first_turns.first_turn) as first_adjusted_amount,
        coalesce(
            sum(answers.adjusted_amount) filter (where answers.turn > first_turns.first_turn), 0
        ) as later_adjusted_amount,
        coalesce(
            arg_max(answers.patient_responsibility_amount, answers.turn) filter (where answers.is_answered), 0
        ) as patient_responsibility_amount,
        min(answers.turn) filter (where answers.is_asked and not answers.is_answered) as waiting_turn,
        arg_min(answers.payer_name, answers.turn) filter (
            where answers.is_asked and not answers.is_answered
        ) as waiting_payer_name,
        -- A payer that hands the claim on itself asks the next one for us.
        arg_max(answers.forwarded_to_name, answers.turn) filter (where answers.is_answered) as forwarded_payer_name,
        max(answers.payer_name) filter (where answers.turn = first_turns.first_turn) as first_payer_name,
        list_sort(flatten(list(answers.claim_payment_ids))) as claim_payment_ids

    from answers
    inner join first_turns on answers.account_id = first_turns.account_id
    group by answers.account_id

),

amounts as (

    select
        account_claims.*,
        account_answers.* exclude (account_id),
        -- A payer after the first may state its own contract on the whole charge: it takes off no more than is left.
        account_answers.first_adjusted_amount + least(
            account_answers.later_adjusted_amount,
            greatest(
                account_claims.billed_amount
                - account_answers.paid_amount
                - account_answers.first_adjusted_amount
                - account_answers.patient_responsibility_amount,
                0
            )
        ) as adjusted_amount

    from account_claims
    inner join account_answers on account_claims.account_id = account_answers.account_id

),

final as (

    select
        amounts.account_id,
        amounts.account_number,
        amounts.claim_id,
        amounts.claim_ids,
        amounts.claim_payment_ids,
        amounts.billed_amount,
        amounts.paid_amount,
        amounts.adjusted_amount,
        amounts.patient_responsibility_amount,
        amounts.billed_amount - amounts.paid_amount - amounts.adjusted_amount as open_amount,
        case
            when amounts.waiting_turn is not null then amounts.waiting_payer_name
            when amounts.forwarded_payer_name is not null then amounts.forwarded_payer_name
            else amounts.first_payer_name
        end as payer_name,
        -- Too much paid is the payers': patients pay no claims here.
        (
            amounts.waiting_turn is not null
            or amounts.forwarded_payer_name is not null
            or amounts.billed_amount < amounts.paid_amount + amounts.adjusted_amount
        ) as is_open_at_payer

    from amounts

)

select * from final
