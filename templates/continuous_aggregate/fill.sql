{%- if after.with_data is defined and after.with_data -%}
CALL {{ ts|ident }}.refresh_continuous_aggregate({{ table }}, NULL, NULL)
{%- endif %}
