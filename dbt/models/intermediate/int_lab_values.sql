-- A panel reported as one observation with components gives a value per component; any other observation gives its own.
with

observations as (

    select * from {{ ref('stg_observations') }}

),

components as (

    select * from {{ ref('stg_observation_components') }}

),

reported as (

    select * from {{ ref('int_lab_report_results') }}

),

laboratory as (

    select
        observations.*,
        reported.diagnostic_report_id

    from observations
    left join reported on observations.observation_id = reported.observation_id
    where
        list_contains(observations.category_codes, 'laboratory')
        or (reported.observation_id is not null and not list_contains(observations.category_codes, 'vital-signs'))

),

own as (

    select
        observation_id as lab_result_id,
        observation_id,
        {{ lab_value_columns('laboratory') }}

    from laboratory
    where component_count = 0 or coalesce(value_number::varchar, value_integer::varchar, value_name, value_string) is not null

),

of_components as (

    select
        components.observation_component_id as lab_result_id,
        components.observation_id,
        {{ lab_value_columns('components') }}

    from components
    inner join laboratory on components.observation_id = laboratory.observation_id

),

final as (

    select * from own
    union all by name
    select * from of_components

)

select
    final.*,
    laboratory.diagnostic_report_id
from final
inner join laboratory on final.observation_id = laboratory.observation_id
