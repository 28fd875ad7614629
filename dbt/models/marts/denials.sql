-- Contract, limits and sequestration (45, 94, 253), other payers (23) and the month of a capitation (24) deny nothing.
with

payments as (

    select * from {{ ref('claim_payments') }}

),

lines as (

    select * from {{ ref('int_decided_lines') }}

),

adjustments as (

    select * from {{ ref('claim_adjustments') }}

),

reasons as (

    select
        claim_payment_id,
        line_number,
        sum(adjusted_amount) filter (where is_denying) as denied_amount,
        arg_max(
            row(group_code, reason_code), row(is_denying, is_not_patients, adjusted_amount, reason_code, group_code)
        ) as reason,
        bool_or(is_denying) as is_denying

    from (
        select
            *,
            group_code <> 'PR' as is_not_patients,
            group_code in ('CO', 'PI', 'OA') and reason_code not in ('45', '23', '24', '94', '253') as is_denying

        from adjustments
    )
    group by claim_payment_id, line_number

),

decisions as (

    select * from payments
    where not is_reversal and coalesce(status_code, '') <> '25'

),

denied_lines as (

    select
        lines.decided_line_id as denial_id,
        lines.explanation_of_benefit_id as claim_payment_id,
        lines.line_number,
        lines.line_key,
        lines.procedure_code,
        lines.billed_amount,
        reasons.denied_amount,
        reasons.reason,
        lines.service_date

    from lines
    inner join decisions on lines.explanation_of_benefit_id = decisions.claim_payment_id
    left join reasons
        on lines.explanation_of_benefit_id = reasons.claim_payment_id
        and lines.line_number = reasons.line_number
    where
        lines.paid_amount = 0
        and lines.billed_amount > 0
        and (reasons.is_denying or decisions.status_code = '4')

),

denied_claims as (

    select
        decisions.claim_payment_id as denial_id,
        decisions.claim_payment_id,
        null as line_number,
        null as line_key,
        null as procedure_code,
        decisions.billed_amount,
        reasons.denied_amount,
        reasons.reason,
        decisions.service_start_date as service_date

    from decisions
    left join reasons on decisions.claim_payment_id = reasons.claim_payment_id and reasons.line_number is null
    anti join denied_lines on decisions.claim_payment_id = denied_lines.claim_payment_id
    where
        decisions.is_zero_paid
        and (reasons.is_denying or decisions.status_code = '4')

),

denials as (

    select * from denied_lines
    union all
    select * from denied_claims

),

-- When a payer last paid for a line, and for a claim, under the number that the account has.
paid_lines as (

    select
        decisions.source,
        decisions.patient_control_number,
        decisions.payer_name,
        lines.line_key,
        max(row(decisions.payment_date, decisions.answered_at)) as last_paid

    from lines
    inner join decisions on lines.explanation_of_benefit_id = decisions.claim_payment_id
    where lines.paid_amount > 0
    group by all

),

paid_claims as (

    select
        source,
        patient_control_number,
        payer_name,
        max(row(payment_date, answered_at)) as last_paid

    from decisions
    where paid_amount > 0
    group by all

),

final as (

    select
        denials.denial_id::varchar as denial_id,
        decisions.claim_payment_id::varchar as claim_payment_id,
        decisions.claim_id::varchar as claim_id,
        decisions.person_id::varchar as person_id,
        decisions.payer_name::varchar as payer_name,
        denials.reason[1]::varchar as group_code,
        denials.reason[2]::varchar as reason_code,
        denials.procedure_code::varchar as procedure_code,
        decisions.source::varchar as source,
        decisions.location::varchar as location,
        denials.line_number::bigint as line_number,
        denials.billed_amount::decimal(18, 2) as billed_amount,
        coalesce(denials.denied_amount, denials.billed_amount)::decimal(18, 2) as denied_amount,
        coalesce(
            if(denials.line_key is null, paid_claims.last_paid, paid_lines.last_paid)
            > row(decisions.payment_date, decisions.answered_at),
            false
        )::boolean as is_overturned,
        decisions.payment_date::date as denied_date,
        denials.service_date::date as service_start_date,
        decisions.recorded_at::timestamptz as recorded_at,
        decisions.traces::varchar[] as traces

    from denials
    inner join decisions on denials.claim_payment_id = decisions.claim_payment_id
    left join paid_lines
        on decisions.source = paid_lines.source
        and decisions.patient_control_number = paid_lines.patient_control_number
        and decisions.payer_name = paid_lines.payer_name
        and denials.line_key = paid_lines.line_key
    left join paid_claims
        on decisions.source = paid_claims.source
        and decisions.patient_control_number = paid_claims.patient_control_number
        and decisions.payer_name = paid_claims.payer_name

)

select * from final
