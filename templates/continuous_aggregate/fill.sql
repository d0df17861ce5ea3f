{%- if ctx.fills -%}
CALL {{ ts|ident }}.refresh_continuous_aggregate({{ table }}, NULL, NULL)
{%- endif %}
