{# What goes with what it reads, or was there before and has disappeared, comes back filled, unless the policy
   says otherwise. #}
{%- if (after.with_data is defined and after.with_data) or (ctx.again and after.with_data is not defined) -%}
CALL {{ ts|ident }}.refresh_continuous_aggregate({{ table }}, NULL, NULL)
{%- endif %}
