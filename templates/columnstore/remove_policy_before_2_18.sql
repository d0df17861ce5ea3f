{%- if facts.job_id is defined -%}
SELECT {{ ts|ident }}.remove_compression_policy({{ table }})
{%- endif %}
