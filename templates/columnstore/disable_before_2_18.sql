{%- if before.enabled -%}
ALTER {% if ctx.is_aggregate %}MATERIALIZED VIEW{% else %}TABLE{% endif %} {{ table|ident }} SET (timescaledb.compress = false)
{%- endif %}
