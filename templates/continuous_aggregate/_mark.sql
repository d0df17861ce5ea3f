{# The hypertable that the rows are in gets its name only when the aggregate is made. #}
{%- set code %}BEGIN
  EXECUTE (
    SELECT pg_catalog.format('COMMENT ON TABLE %I.%I IS %L', h.schema_name, h.table_name, {{ item.mark }})
      FROM _timescaledb_catalog.continuous_agg AS a
      JOIN _timescaledb_catalog.hypertable AS h ON h.id = a.mat_hypertable_id
     WHERE a.user_view_schema = {{ item.schema }} AND a.user_view_name = {{ item.view }});
END{% endset -%}
DO {{ code|code }}
