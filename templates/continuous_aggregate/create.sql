CREATE MATERIALIZED VIEW {{ table|ident }}
  WITH (timescaledb.continuous
{%- if after.materialized_only is defined %}, timescaledb.materialized_only = {{ after.materialized_only }}{% endif %}
{%- if after.create_group_indexes is defined %}, timescaledb.create_group_indexes = {{ after.create_group_indexes }}{% endif %}) AS
{{ after.query|expr }}
  WITH NO DATA
