with

items as (

    select * from {{ ref('stg_claim_items') }}

),

accounts as (

    select * from {{ ref('int_claim_accounts') }}

),

claims as (

    select * from {{ ref('stg_claims') }}

),

billed as (

    select * from {{ ref('claims') }}

),

account_charges as (

    select * from {{ ref('stg_charge_items') }}

),

patients as (

    select * from {{ ref('int_patient_persons') }}

),

organizations as (

    select * from {{ ref('stg_organizations') }}

),

claim_lines as (

    select
        items.claim_item_id as charge_id,
        billed.person_id,
        billed.patient_id,
        billed.encounter_id,
        items.claim_id,
        coalesce(items.line_item_number, billed.claim_number || '-' || items.line_number) as charge_number,
        billed.payer_name,
        items.service_code as procedure_code,
        items.service_system as procedure_system,
        items.service_name as procedure_name,
        -- A line points at one of the claim's diagnoses; the list of codes has holes where one of them has no code.
        if(
            len(claims.diagnosis_codes) = len(claims.diagnosis_numbers),
            coalesce(
                claims.diagnosis_codes[list_position(claims.diagnosis_numbers, items.diagnosis_number)],
                claims.diagnosis_code
            ),
            claims.diagnosis_code
        ) as diagnosis_code,
        'claim_line' as charge_kind,
        billed.source,
        billed.location,
        items.quantity as units,
        items.billed_amount,
        coalesce(items.serviced_date, items.service_start_date, billed.service_start_date) as service_date,
        items.recorded_at,
        {{ traces([('Claim', 'items.claim_id'), ('Patient', 'billed.patient_id')]) }} as traces

    from items
    inner join accounts on items.claim_id = accounts.claim_id
    inner join claims on items.claim_id = claims.claim_id
    inner join billed on items.claim_id = billed.claim_id
    where accounts.is_billed

),

account_lines as (

    select
        account_charges.charge_item_id as charge_id,
        patients.person_id,
        account_charges.patient_id,
        account_charges.encounter_id,
        account_charges.charge_number,
        coalesce(organizations.name, account_charges.payer_name) as payer_name,
        account_charges.service_code as procedure_code,
        account_charges.service_system as procedure_system,
        account_charges.service_name as procedure_name,
        account_charges.diagnosis_code,
        'account' as charge_kind,
        account_charges.source,
        account_charges.location,
        account_charges.quantity as units,
        account_charges.amount as billed_amount,
        account_charges.transaction_code,
        account_charges.service_date,
        account_charges.entered_date,
        account_charges.recorded_at,
        {{ traces([
            ('ChargeItem', 'account_charges.charge_item_id'),
            ('Encounter', 'account_charges.encounter_id'),
            ('Patient', 'patients.patient_id'),
            ('Organization', 'organizations.organization_id'),
        ]) }} as traces

    from account_charges
    left join patients on account_charges.patient_id = patients.patient_id
    left join organizations on account_charges.payer_organization_id = organizations.organization_id
    where account_charges.status not in ('entered-in-error', 'aborted', 'not-billable')

),

lines as (

    select * from claim_lines
    union all by name
    select * from account_lines

),

final as (

    select
        charge_id::varchar as charge_id,
        person_id::varchar as person_id,
        patient_id::varchar as patient_id,
        encounter_id::varchar as encounter_id,
        claim_id::varchar as claim_id,
        charge_number::varchar as charge_number,
        payer_name::varchar as payer_name,
        procedure_code::varchar as procedure_code,
        procedure_system::varchar as procedure_system,
        procedure_name::varchar as procedure_name,
        diagnosis_code::varchar as diagnosis_code,
        charge_kind::varchar as charge_kind,
        source::varchar as source,
        location::varchar as location,
        units::double as units,
        billed_amount::decimal(18, 2) as billed_amount,
        (coalesce(transaction_code = 'CD', false) or coalesce(billed_amount < 0, false))::boolean as is_credit,
        service_date::date as service_date,
        entered_date::date as entered_date,
        recorded_at::timestamptz as recorded_at,
        traces::varchar[] as traces

    from lines

)

select * from final
