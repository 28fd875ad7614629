with

answers as (

    select * from {{ ref('stg_coverage_eligibility_responses') }}

),

coverages as (

    select * from {{ ref('stg_coverages') }}

),

patients as (

    select * from {{ ref('int_patient_persons') }}

),

organizations as (

    select * from {{ ref('stg_organizations') }}

),

final as (

    select
        answers.coverage_eligibility_response_id::varchar as eligibility_answer_id,
        patients.person_id::varchar as person_id,
        answers.asked_patient_id::varchar as patient_id,
        coalesce(organizations.name, answers.payer_name)::varchar as payer_name,
        coalesce(coverages.member_id, coverages.member_identifier)::varchar as member_id,
        coalesce(answers.plan_name, coverages.plan_name)::varchar as plan_name,
        answers.outcome_code::varchar as outcome_code,
        answers.error_code::varchar as error_code,
        answers.disposition::varchar as disposition,
        answers.request_number::varchar as request_number,
        answers.source::varchar as source,
        answers.location::varchar as location,
        answers.is_inforce::boolean as is_active,
        answers.serviced_date::date as serviced_date,
        answers.answered_at::timestamptz as answered_at,
        answers.recorded_at::timestamptz as recorded_at,
        {{ traces([
            ('CoverageEligibilityResponse', 'answers.coverage_eligibility_response_id'),
            ('Coverage', 'coverages.coverage_id'),
            ('Patient', 'patients.patient_id'),
            ('Organization', 'organizations.organization_id'),
        ]) }} as traces

    from answers
    left join coverages on answers.coverage_id = coverages.coverage_id
    left join patients on answers.asked_patient_id = patients.patient_id
    left join organizations on answers.payer_organization_id = organizations.organization_id

)

select * from final
