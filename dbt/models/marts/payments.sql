with

answers as (

    select * from {{ ref('claim_payments') }}

),

details as (

    select * from {{ ref('stg_payment_reconciliation_details') }}

),

patients as (

    select * from {{ ref('int_patient_persons') }}

),

organizations as (

    select * from {{ ref('stg_organizations') }}

),

remittances as (

    select
        explanation_of_benefit_id,
        min(payment_reconciliation_id) as remittance_id

    from details
    where explanation_of_benefit_id is not null
    group by explanation_of_benefit_id

),

of_claims as (

    select
        answers.claim_payment_id as payment_id,
        answers.person_id,
        answers.patient_id,
        answers.claim_id,
        answers.claim_payment_id,
        remittances.remittance_id,
        'insurer' as payment_kind,
        answers.payer_name,
        answers.payment_number as reference_number,
        answers.source,
        answers.location,
        answers.paid_amount,
        answers.payment_date,
        answers.recorded_at,
        answers.traces

    from answers
    left join remittances on answers.claim_payment_id = remittances.explanation_of_benefit_id
    where answers.paid_amount <> 0

),

of_others as (

    select
        details.payment_reconciliation_detail_id as payment_id,
        patients.person_id,
        details.paying_patient_id as patient_id,
        details.encounter_id,
        if(details.paying_patient_id is null, details.payment_reconciliation_id, null) as remittance_id,
        case
            when details.paying_patient_id is null then 'provider_adjustment'
            when coalesce(details.payer_organization_id, details.payer_name) is not null then 'insurer'
            else 'patient'
        end as payment_kind,
        coalesce(organizations.name, details.payer_name) as payer_name,
        if(details.paying_patient_id is null, details.reason_code, null) as reason_code,
        if(details.paying_patient_id is null, details.detail_number, null) as reason_reference,
        coalesce(details.trace_number, details.payment_number) as reference_number,
        details.source,
        details.location,
        details.amount as paid_amount,
        details.payment_date,
        details.recorded_at,
        {{ traces([
            ('PaymentReconciliation', 'details.payment_reconciliation_id'),
            ('Patient', 'patients.patient_id'),
            ('Organization', 'organizations.organization_id'),
        ]) }} as traces

    from details
    left join patients on details.paying_patient_id = patients.patient_id
    left join organizations on details.payer_organization_id = organizations.organization_id
    where
        details.status <> 'entered-in-error'
        and details.type_code = if(details.paying_patient_id is null, 'adjustment', 'payment')

),

sums as (

    select * from of_claims
    union all by name
    select * from of_others

),

final as (

    select
        payment_id::varchar as payment_id,
        person_id::varchar as person_id,
        patient_id::varchar as patient_id,
        encounter_id::varchar as encounter_id,
        claim_id::varchar as claim_id,
        claim_payment_id::varchar as claim_payment_id,
        remittance_id::varchar as remittance_id,
        payment_kind::varchar as payment_kind,
        payer_name::varchar as payer_name,
        reason_code::varchar as reason_code,
        reason_reference::varchar as reason_reference,
        reference_number::varchar as reference_number,
        source::varchar as source,
        location::varchar as location,
        paid_amount::decimal(18, 2) as paid_amount,
        payment_date::date as payment_date,
        recorded_at::timestamptz as recorded_at,
        traces::varchar[] as traces

    from sums

)

select * from final
