{# Every row names what it was made from, as Type/uuid. #}
{% test has_traces(model, column_name) %}
select {{ column_name }}
from {{ model }}
where
    {{ column_name }} is null
    or len({{ column_name }}) = 0
    or not list_bool_and(
        list_transform({{ column_name }}, lambda trace: regexp_full_match(trace, '[A-Za-z]+/[0-9A-Za-z.-]{1,64}'))
    )
{% endtest %}
