-- What was charged, paid and adjusted without a claim, added up by visit; without a visit, by account or patient.
with

charges as (

    select * from {{ ref('stg_charge_items') }}
    where status not in ('entered-in-error', 'aborted', 'not-billable')

),

details as (

    select * from {{ ref('stg_payment_reconciliation_details') }}
    where paying_patient_id is not null and status <> 'entered-in-error'

),

postings as (

    select
        source,
        location,
        patient_id,
        encounter_id,
        account_number,
        payer_organization_id,
        payer_name,
        'charge' as posting_kind,
        amount,
        service_date,
        recorded_at,
        'ChargeItem/' || charge_item_id as trace

    from charges
    union all by name
    select
        source,
        location,
        paying_patient_id as patient_id,
        encounter_id,
        payer_organization_id,
        payer_name,
        type_code as posting_kind,
        amount,
        payment_date as service_date,
        recorded_at,
        'PaymentReconciliation/' || payment_reconciliation_id as trace

    from details

),

visits as (

    select
        *,
        coalesce(payer_organization_id, payer_name) as payer,
        coalesce(encounter_id, source || '|' || coalesce(account_number, patient_id)) as account_id

    from postings

),

final as (

    select
        account_id,
        min(source) as source,
        min(location) as location,
        min(patient_id) as patient_id,
        min(encounter_id) as encounter_id,
        max(account_number) as account_number,
        arg_min(payer_organization_id, row(service_date, trace)) filter (where posting_kind = 'charge') as payer_organization_id,
        arg_min(payer_name, row(service_date, trace)) filter (where posting_kind = 'charge') as payer_name,
        coalesce(sum(amount) filter (where posting_kind = 'charge'), 0) as billed_amount,
        coalesce(sum(amount) filter (where posting_kind = 'payment'), 0) as paid_amount,
        coalesce(
            sum(amount) filter (where posting_kind = 'payment' and payer is not null), 0
        ) as payer_paid_amount,
        coalesce(sum(amount) filter (where posting_kind = 'adjustment'), 0) as adjusted_amount,
        coalesce(bool_or(payer is not null) filter (where posting_kind = 'charge'), false) as is_insured,
        coalesce(bool_or(payer is not null) filter (where posting_kind <> 'charge'), false) as is_answered,
        coalesce(min(service_date) filter (where posting_kind = 'charge'), min(service_date)) as service_date,
        max(recorded_at) as recorded_at,
        list_sort(list(distinct trace)) as traces

    from visits
    group by account_id

)

select * from final
