{%- if before.enabled -%}
ALTER TABLE {{ table|ident }} SET (timescaledb.enable_columnstore = false)
{%- endif %}
