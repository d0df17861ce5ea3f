ALTER {% if ctx.is_aggregate %}MATERIALIZED VIEW{% else %}TABLE{% endif %} {{ table|ident }} SET (
    timescaledb.compress = true
{%- if after.segment_by is defined %},
    timescaledb.compress_segmentby = {{ after.segment_by|quoted_list }}
{%- endif %}
{%- if after.order_by is defined %},
    timescaledb.compress_orderby = {{ after.order_by|quoted_list }}
{%- endif %})
