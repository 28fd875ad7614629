{# What an observation and one of its components have alike. #}
{% macro lab_value_columns(relation) -%}
        {{ relation }}.observation_code as test_code,
        {{ relation }}.observation_system as test_system,
        {{ relation }}.observation_name as test_name,
        {{ relation }}.loinc_code,
        {{ relation }}.value_comparator,
        coalesce({{ relation }}.value_unit, {{ relation }}.value_unit_code) as unit,
        {{ relation }}.value_code,
        coalesce({{ relation }}.value_name, {{ relation }}.value_string) as value_text,
        {{ relation }}.interpretation_code,
        {{ relation }}.absent_reason_code,
        {{ relation }}.reference_text,
        coalesce({{ relation }}.value_number, {{ relation }}.value_integer) as value_number,
        {{ relation }}.reference_low,
        {{ relation }}.reference_high
{%- endmacro %}
