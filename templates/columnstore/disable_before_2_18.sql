{%- if before.enabled -%}
ALTER TABLE {{ table|ident }} SET (timescaledb.compress = false)
{%- endif %}
