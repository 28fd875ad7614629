-- The first report that holds a result, for results that do not say themselves that they come from a laboratory.
with

reports as (

    select * from {{ ref('stg_diagnostic_reports') }}
    where category_code in ('LAB', 'CH', 'HM', 'MB', 'SR', 'URN', 'BLB', 'IMM', 'TX', 'laboratory')

),

results as (

    select
        diagnostic_report_id,
        unnest(observation_ids) as observation_id

    from reports

),

final as (

    select
        observation_id,
        min(diagnostic_report_id) as diagnostic_report_id

    from results
    group by observation_id

)

select * from final
