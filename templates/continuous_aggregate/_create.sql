CREATE MATERIALIZED VIEW {{ item.table|ident }}
  WITH (timescaledb.continuous
{%- if item.materialized_only is not none %}, timescaledb.materialized_only = {{ item.materialized_only }}{% endif %}
{%- if item.create_group_indexes is not none %}, timescaledb.create_group_indexes = {{ item.create_group_indexes }}{% endif %}) AS
{{ item.query|expr }}
  WITH NO DATA
