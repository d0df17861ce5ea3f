{%- if ctx.sets -%}
ALTER {% if ctx.is_aggregate %}MATERIALIZED VIEW{% else %}TABLE{% endif %} {{ table|ident }} SET (
    timescaledb.compress = true
{%- if ctx.segment_by is defined %},
    timescaledb.compress_segmentby = {{ ctx.segment_by|quoted_list }}
{%- endif %}
{%- if ctx.order_by is defined %},
    timescaledb.compress_orderby = {{ ctx.order_by|quoted_list }}
{%- endif %})
{%- endif %}
