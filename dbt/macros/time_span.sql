{# Minutes as a person says them, rounded down: 7 minutes, 5 hours, 3 days. #}
{% macro time_span(minutes) -%}
    case
        when {{ minutes }} >= 2 * 1440 then ({{ minutes }} // 1440) || ' days'
        when {{ minutes }} >= 120 then ({{ minutes }} // 60) || ' hours'
        else {{ minutes }} || ' minutes'
    end
{%- endmacro %}
