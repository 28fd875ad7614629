with

source as (

    select * from {{ source('views', 'crosswalk') }}

),

final as (

    select
        patient_id,
        person_id,
        valid_from,
        stated_at

    from source

)

select * from final
