with

claim_accounts as (

    select * from {{ ref('int_claim_receivables') }}

),

claims as (

    select * from {{ ref('claims') }}

),

visits as (

    select * from {{ ref('int_account_visits') }}

),

patients as (

    select * from {{ ref('int_patient_persons') }}

),

organizations as (

    select * from {{ ref('stg_organizations') }}

),

of_claims as (

    select
        claim_accounts.account_id as receivable_id,
        claims.person_id,
        claims.patient_id,
        claim_accounts.claim_id,
        claims.encounter_id,
        'claim' as receivable_kind,
        claim_accounts.account_number,
        claim_accounts.payer_name,
        claims.source,
        claims.location,
        claim_accounts.is_open_at_payer,
        claim_accounts.billed_amount,
        claim_accounts.paid_amount,
        claim_accounts.adjusted_amount,
        claim_accounts.patient_responsibility_amount,
        claim_accounts.open_amount,
        claims.service_start_date as aged_from_date,
        claims.recorded_at,
        list_concat(
            list_transform(claim_accounts.claim_ids, lambda id: {{ trace('Claim', 'id') }}),
            list_transform(claim_accounts.claim_payment_ids, lambda id: {{ trace('ExplanationOfBenefit', 'id') }}),
            {{ traces([('Patient', 'claims.patient_id')]) }}
        ) as traces

    from claim_accounts
    inner join claims on claim_accounts.claim_id = claims.claim_id

),

of_visits as (

    select
        visits.account_id as receivable_id,
        patients.person_id,
        visits.patient_id,
        null as claim_id,
        visits.encounter_id,
        'account' as receivable_kind,
        visits.account_number,
        coalesce(organizations.name, visits.payer_name) as payer_name,
        visits.source,
        visits.location,
        (visits.is_insured and not visits.is_answered) as is_open_at_payer,
        visits.billed_amount,
        visits.paid_amount,
        visits.adjusted_amount,
        -- What insurers have answered for is not the patient's; before they answer nothing is.
        case
            when visits.is_insured and not visits.is_answered then 0
            else visits.billed_amount - visits.payer_paid_amount - visits.adjusted_amount
        end as patient_responsibility_amount,
        visits.billed_amount - visits.paid_amount - visits.adjusted_amount as open_amount,
        visits.service_date as aged_from_date,
        visits.recorded_at,
        list_concat(
            visits.traces,
            {{ traces([
                ('Encounter', 'visits.encounter_id'),
                ('Patient', 'visits.patient_id'),
                ('Organization', 'organizations.organization_id'),
            ]) }}
        ) as traces

    from visits
    left join patients on visits.patient_id = patients.patient_id
    left join organizations on visits.payer_organization_id = organizations.organization_id

),

accounts as (

    select * from of_claims
    union all by name
    select * from of_visits

),

final as (

    select
        receivable_id::varchar as receivable_id,
        person_id::varchar as person_id,
        patient_id::varchar as patient_id,
        claim_id::varchar as claim_id,
        encounter_id::varchar as encounter_id,
        receivable_kind::varchar as receivable_kind,
        account_number::varchar as account_number,
        payer_name::varchar as payer_name,
        case
            when open_amount = 0 then 'none'
            when is_open_at_payer then 'payer'
            else 'patient'
        end::varchar as responsible,
        source::varchar as source,
        location::varchar as location,
        billed_amount::decimal(18, 2) as billed_amount,
        paid_amount::decimal(18, 2) as paid_amount,
        adjusted_amount::decimal(18, 2) as adjusted_amount,
        patient_responsibility_amount::decimal(18, 2) as patient_responsibility_amount,
        if(is_open_at_payer, open_amount, 0)::decimal(18, 2) as payer_open_amount,
        if(is_open_at_payer, 0, open_amount)::decimal(18, 2) as patient_open_amount,
        open_amount::decimal(18, 2) as open_amount,
        aged_from_date::date as aged_from_date,
        recorded_at::timestamptz as recorded_at,
        traces::varchar[] as traces

    from accounts

)

select * from final
