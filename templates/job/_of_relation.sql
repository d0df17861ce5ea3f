{#- The job of a policy on a hypertable or a continuous aggregate. -#}
{%- if ctx.is_aggregate %}
   AND (hypertable_schema, hypertable_name) IN (
       SELECT view_schema, view_name FROM timescaledb_information.continuous_aggregates
        WHERE view_schema = {{ ctx.schema }} AND view_name = {{ ctx.table }}
        UNION ALL
       SELECT materialization_hypertable_schema, materialization_hypertable_name
         FROM timescaledb_information.continuous_aggregates
        WHERE view_schema = {{ ctx.schema }} AND view_name = {{ ctx.table }})
{%- else %}
   AND hypertable_schema = {{ ctx.schema }}
   AND hypertable_name = {{ ctx.table }}
{%- endif %}
