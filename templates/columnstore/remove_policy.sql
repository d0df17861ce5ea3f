{%- if facts.job_id is defined -%}
CALL {{ ts|ident }}.remove_columnstore_policy({{ table }})
{%- endif %}
