-- What a remittance is made of is what the bank received; a payer that cannot add is a warning.
{{ config(severity='warn') }}

with

details as (

    select * from {{ ref('stg_payment_reconciliation_details') }}
    where paying_patient_id is null

)

select
    payment_reconciliation_id,
    any_value(payment_amount) as payment_amount,
    sum(amount) as detail_amount
from details
group by payment_reconciliation_id
having sum(amount) <> any_value(payment_amount)
