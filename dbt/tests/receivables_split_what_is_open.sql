-- What is open is open at a payer or at the patient, to the cent, and never at both.
select receivable_id
from {{ ref('receivables') }}
where
    open_amount <> billed_amount - paid_amount - adjusted_amount
    or open_amount <> payer_open_amount + patient_open_amount
    or (payer_open_amount <> 0 and patient_open_amount <> 0)
