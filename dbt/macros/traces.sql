{# The resources a row was made from: pairs of resource type and id, those that are null left out. #}
{% macro traces(parts) -%}
    list_filter(
        [
            {%- for resource_type, id in parts %}
            {{ trace(resource_type, id) }}{{ "," if not loop.last }}
            {%- endfor %}
        ],
        lambda part: part is not null
    )::varchar[]
{%- endmacro %}
