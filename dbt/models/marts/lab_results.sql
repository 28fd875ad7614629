with

lab_values as (

    select * from {{ ref('int_lab_values') }}

),

observations as (

    select * from {{ ref('stg_observations') }}

),

patients as (

    select * from {{ ref('int_patient_persons') }}

),

organizations as (

    select * from {{ ref('stg_organizations') }}

),

final as (

    select
        lab_values.lab_result_id::varchar as lab_result_id,
        lab_values.observation_id::varchar as observation_id,
        patients.person_id::varchar as person_id,
        observations.patient_id::varchar as patient_id,
        observations.encounter_id::varchar as encounter_id,
        lab_values.diagnostic_report_id::varchar as diagnostic_report_id,
        observations.status::varchar as status,
        lab_values.test_code::varchar as test_code,
        lab_values.test_system::varchar as test_system,
        lab_values.loinc_code::varchar as loinc_code,
        lab_values.test_name::varchar as test_name,
        lab_values.value_text::varchar as value_text,
        lab_values.value_code::varchar as value_code,
        lab_values.value_comparator::varchar as value_comparator,
        lab_values.unit::varchar as unit,
        lab_values.reference_text::varchar as reference_text,
        lab_values.interpretation_code::varchar as interpretation_code,
        lab_values.absent_reason_code::varchar as absent_reason_code,
        organizations.name::varchar as performer_name,
        observations.source::varchar as source,
        observations.location::varchar as location,
        lab_values.value_number::double as value_number,
        lab_values.reference_low::double as reference_low,
        lab_values.reference_high::double as reference_high,
        -- What the laboratory says counts; only where it says nothing is the value held against its range.
        case
            when lab_values.interpretation_code in ('N', 'NEG', 'ND', 'NR', 'S') then false
            when lab_values.interpretation_code in ('A', 'AA', 'H', 'HH', 'HU', 'L', 'LL', 'LU', 'POS', 'DET', 'R')
                then true
            when lab_values.value_comparator is null
                then lab_values.value_number < lab_values.reference_low
                    or lab_values.value_number > lab_values.reference_high
        end::boolean as is_abnormal,
        coalesce(
            observations.effective_at, observations.effective_start_at, observations.effective_instant_at
        )::timestamptz as collected_at,
        observations.issued_at::timestamptz as issued_at,
        observations.recorded_at::timestamptz as recorded_at,
        {{ traces([
            ('Observation', 'observations.observation_id'),
            ('Patient', 'patients.patient_id'),
            ('DiagnosticReport', 'lab_values.diagnostic_report_id'),
            ('Organization', 'organizations.organization_id'),
        ]) }} as traces

    from lab_values
    inner join observations on lab_values.observation_id = observations.observation_id
    left join patients on observations.patient_id = patients.patient_id
    left join organizations on observations.performer_organization_id = organizations.organization_id

)

select * from final
