{% test is_not_before(model, column_name, start) %}
select {{ column_name }} from {{ model }} where {{ column_name }} < {{ start }}
{% endtest %}
