{# What was there before comes back, as far as its rows are still there. #}
{%- if after.with_data is not defined or after.with_data -%}
CALL {{ ts|ident }}.refresh_continuous_aggregate({{ table }}, NULL, NULL)
{%- endif %}
