ALTER {% if ctx.is_aggregate %}MATERIALIZED VIEW{% else %}TABLE{% endif %} {{ table|ident }} SET (
    timescaledb.enable_columnstore = true
{%- if after.segment_by is defined %},
    timescaledb.segmentby = {{ after.segment_by|quoted_list }}
{%- endif %}
{%- if after.order_by is defined %},
    timescaledb.orderby = {{ after.order_by|quoted_list }}
{%- endif %}
{%- if after.sparse_index is defined %},
    timescaledb.sparse_index = {{ ctx.sparse_index }}
{%- endif %})
