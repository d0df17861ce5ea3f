{%- if ctx.sets -%}
ALTER {% if ctx.is_aggregate %}MATERIALIZED VIEW{% else %}TABLE{% endif %} {{ table|ident }} SET (
    timescaledb.enable_columnstore = true
{%- if ctx.segment_by is defined %},
    timescaledb.segmentby = {{ ctx.segment_by|quoted_list }}
{%- endif %}
{%- if ctx.order_by is defined %},
    timescaledb.orderby = {{ ctx.order_by|quoted_list }}
{%- endif %}
{%- if ctx.sparse_index is defined %},
    timescaledb.sparse_index = {{ ctx.sparse_index }}
{%- endif %})
{%- endif %}
