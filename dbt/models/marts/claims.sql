with

claims as (

    select * from {{ ref('stg_claims') }}

),

items as (

    select * from {{ ref('stg_claim_items') }}

),

payments as (

    select * from {{ ref('claim_payments') }}

),

patients as (

    select * from {{ ref('int_patient_persons') }}

),

organizations as (

    select * from {{ ref('stg_organizations') }}

),

practitioners as (

    select * from {{ ref('stg_practitioners') }}

),

line_sums as (

    select
        claim_id,
        count(*) as line_count,
        sum(billed_amount) as line_billed_amount

    from items
    group by claim_id

),

payment_sums as (

    select
        claim_id,
        count(*) as payment_count,
        sum(paid_amount) as paid_amount,
        sum(patient_responsibility_amount) as patient_responsibility_amount,
        sum(
            contractual_adjustment_amount
            + payer_adjustment_amount
            + other_adjustment_amount
            + patient_adjustment_amount
        ) as adjusted_amount,
        min(payment_date) as first_payment_date,
        max(payment_date) as last_payment_date

    from payments
    where claim_id is not null
    group by claim_id

),

final as (

    select
        claims.claim_id::varchar as claim_id,
        patients.person_id::varchar as person_id,
        claims.patient_id::varchar as patient_id,
        claims.encounter_id::varchar as encounter_id,
        claims.payer_organization_id::varchar as payer_organization_id,
        claims.billing_organization_id::varchar as billing_organization_id,
        claims.billing_practitioner_id::varchar as billing_practitioner_id,
        coalesce(claims.patient_control_number, claims.claim_number)::varchar as claim_number,
        claims.patient_control_number::varchar as patient_control_number,
        claims.payer_sequence::varchar as payer_sequence,
        claims.frequency_code::varchar as frequency_code,
        claims.status::varchar as status,
        claims.type_code::varchar as type_code,
        claims.use_code::varchar as use_code,
        claims.diagnosis_code::varchar as diagnosis_code,
        coalesce(payers.name, claims.payer_name, claims.coverage_name)::varchar as payer_name,
        coalesce(billers.name, {{ person_name('practitioners') }})::varchar as billing_name,
        claims.source::varchar as source,
        claims.location::varchar as location,
        coalesce(line_sums.line_count, 0)::bigint as line_count,
        coalesce(payment_sums.payment_count, 0)::bigint as payment_count,
        claims.billed_amount::decimal(18, 2) as billed_amount,
        line_sums.line_billed_amount::decimal(18, 2) as line_billed_amount,
        coalesce(payment_sums.paid_amount, 0)::decimal(18, 2) as paid_amount,
        coalesce(payment_sums.adjusted_amount, 0)::decimal(18, 2) as adjusted_amount,
        payment_sums.patient_responsibility_amount::decimal(18, 2) as patient_responsibility_amount,
        -- What no payer has answered for yet; what is left to the patient counts as answered for.
        (
            claims.billed_amount - coalesce(payment_sums.paid_amount, 0) - coalesce(payment_sums.adjusted_amount, 0)
        )::decimal(18, 2) as open_amount,
        (payment_sums.payment_count is not null)::boolean as is_answered,
        claims.service_start_date::date as service_start_date,
        claims.service_end_date::date as service_end_date,
        payment_sums.first_payment_date::date as first_payment_date,
        payment_sums.last_payment_date::date as last_payment_date,
        claims.created_at::timestamptz as created_at,
        claims.recorded_at::timestamptz as recorded_at,
        {{ traces([
            ('Claim', 'claims.claim_id'),
            ('Patient', 'patients.patient_id'),
            ('Organization', 'payers.organization_id'),
            ('Organization', 'billers.organization_id'),
            ('Practitioner', 'practitioners.practitioner_id'),
        ]) }} as traces

    from claims
    left join line_sums on claims.claim_id = line_sums.claim_id
    left join payment_sums on claims.claim_id = payment_sums.claim_id
    left join patients on claims.patient_id = patients.patient_id
    left join organizations as payers on claims.payer_organization_id = payers.organization_id
    left join organizations as billers on claims.billing_organization_id = billers.organization_id
    left join practitioners on claims.billing_practitioner_id = practitioners.practitioner_id

)

select * from final
