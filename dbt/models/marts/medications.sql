with

requests as (

    select * from {{ ref('stg_medication_requests') }}

),

medications as (

    select * from {{ ref('stg_medications') }}

),

patients as (

    select * from {{ ref('int_patient_persons') }}

),

practitioners as (

    select * from {{ ref('stg_practitioners') }}

),

final as (

    select
        requests.medication_request_id::varchar as medication_id,
        patients.person_id::varchar as person_id,
        requests.patient_id::varchar as patient_id,
        requests.encounter_id::varchar as encounter_id,
        requests.status::varchar as status,
        requests.intent_code::varchar as intent_code,
        coalesce(requests.medication_code, medications.medication_code)::varchar as code,
        coalesce(requests.medication_system, medications.medication_system)::varchar as code_system,
        coalesce(requests.rxnorm_code, medications.rxnorm_code)::varchar as rxnorm_code,
        coalesce(medications.medication_name, requests.medication_name)::varchar as medication_name,
        requests.dosage_text::varchar as dosage_text,
        coalesce({{ person_name('practitioners') }}, requests.requester_name)::varchar as prescriber_name,
        requests.source::varchar as source,
        requests.location::varchar as location,
        (requests.status = 'active')::boolean as is_active,
        requests.authored_date::date as authored_date,
        requests.recorded_at::timestamptz as recorded_at,
        {{ traces([
            ('MedicationRequest', 'requests.medication_request_id'),
            ('Medication', 'medications.medication_id'),
            ('Patient', 'patients.patient_id'),
            ('Practitioner', 'practitioners.practitioner_id'),
        ]) }} as traces

    from requests
    left join medications on requests.medication_id = medications.medication_id
    left join patients on requests.patient_id = patients.patient_id
    left join practitioners on requests.requester_practitioner_id = practitioners.practitioner_id

)

select * from final
