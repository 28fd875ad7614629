{# FHIR's texts as SQL values. Partial dates (2024, 2024-05) say no day: they give no date, the text stays beside it. #}

{% macro fhir_date(column) -%}
    case when length({{ column }}) >= 10 then try_cast(left({{ column }}, 10) as date) end
{%- endmacro %}

{# A day without a time is the first moment of that day in UTC. #}
{% macro fhir_moment(column) -%}
    case when length({{ column }}) >= 10 then try_cast({{ column }} as {{ moment_type() }}) end
{%- endmacro %}

{# The type of a point in time, whose name is not the same for all engines. #}
{% macro moment_type() -%}
    {{ return(adapter.dispatch('moment_type')()) }}
{%- endmacro %}

{% macro default__moment_type() -%}
    {{ return('timestamptz') }}
{%- endmacro %}

{# In Spark what is called so knows its zone, the session's being UTC. #}
{% macro spark__moment_type() -%}
    {{ return('timestamp') }}
{%- endmacro %}

{# The text a person would read for a concept. #}
{% macro concept_name(prefix) -%}
    coalesce(nullif({{ prefix }}_text, ''), {{ prefix }}_display, {{ prefix }}_code)
{%- endmacro %}

{# A reference as traces name it. #}
{% macro trace(resource_type, id) -%}
    '{{ resource_type }}/' || {{ id }}
{%- endmacro %}
