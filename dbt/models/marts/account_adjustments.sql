with

details as (

    select * from {{ ref('stg_payment_reconciliation_details') }}

),

patients as (

    select * from {{ ref('int_patient_persons') }}

),

organizations as (

    select * from {{ ref('stg_organizations') }}

),

adjustments as (

    select * from details
    where paying_patient_id is not null and type_code = 'adjustment' and status <> 'entered-in-error'

),

final as (

    select
        adjustments.payment_reconciliation_detail_id::varchar as account_adjustment_id,
        patients.person_id::varchar as person_id,
        adjustments.paying_patient_id::varchar as patient_id,
        adjustments.encounter_id::varchar as encounter_id,
        coalesce(organizations.name, adjustments.payer_name)::varchar as payer_name,
        adjustments.group_code::varchar as group_code,
        adjustments.reason_code::varchar as reason_code,
        adjustments.detail_number::varchar as adjustment_number,
        adjustments.source::varchar as source,
        adjustments.location::varchar as location,
        adjustments.amount::decimal(18, 2) as adjusted_amount,
        coalesce(adjustments.detail_date, adjustments.payment_date)::date as adjusted_date,
        adjustments.recorded_at::timestamptz as recorded_at,
        {{ traces([
            ('PaymentReconciliation', 'adjustments.payment_reconciliation_id'),
            ('Encounter', 'adjustments.encounter_id'),
            ('Patient', 'patients.patient_id'),
            ('Organization', 'organizations.organization_id'),
        ]) }} as traces

    from adjustments
    left join patients on adjustments.paying_patient_id = patients.patient_id
    left join organizations on adjustments.payer_organization_id = organizations.organization_id

)

select * from final
