{# Given and family name of a relation that has them, else the name as one text. #}
{% macro person_name(relation) -%}
    coalesce(
        nullif(concat_ws(' ', {{ relation }}.given_names, {{ relation }}.family_name), ''), {{ relation }}.name_text
    )
{%- endmacro %}
