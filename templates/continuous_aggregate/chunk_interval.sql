{%- if after.chunk_interval is defined -%}
SELECT {{ ts|ident }}.set_chunk_time_interval({{ table }}::regclass, {{ after.chunk_interval }})
{%- endif %}
