with

conditions as (

    select * from {{ ref('stg_conditions') }}

),

patients as (

    select * from {{ ref('int_patient_persons') }}

),

final as (

    select
        conditions.condition_id::varchar as condition_id,
        patients.person_id::varchar as person_id,
        conditions.patient_id::varchar as patient_id,
        conditions.encounter_id::varchar as encounter_id,
        conditions.clinical_status::varchar as clinical_status,
        conditions.verification_status::varchar as verification_status,
        conditions.category_code::varchar as category_code,
        conditions.condition_code::varchar as code,
        conditions.condition_system::varchar as code_system,
        conditions.icd_10_cm_code::varchar as icd10_code,
        conditions.snomed_code::varchar as snomed_code,
        conditions.condition_name::varchar as condition_name,
        conditions.source::varchar as source,
        conditions.location::varchar as location,
        -- A diagnosis of a visit says nothing of how long it lasts: it is neither active nor over.
        case
            when conditions.verification_status in ('refuted', 'entered-in-error') then false
            when conditions.clinical_status is not null
                then conditions.clinical_status in ('active', 'recurrence', 'relapse')
            when conditions.abated_date is not null then false
        end::boolean as is_active,
        conditions.onset_date::date as onset_date,
        conditions.abated_date::date as abated_date,
        conditions.recorded_date::date as recorded_date,
        conditions.recorded_at::timestamptz as recorded_at,
        {{ traces([
            ('Condition', 'conditions.condition_id'),
            ('Patient', 'patients.patient_id'),
        ]) }} as traces

    from conditions
    left join patients on conditions.patient_id = patients.patient_id

)

select * from final
