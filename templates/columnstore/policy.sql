{#- One statement for what the policy is to be: none, a new one, or the same job with another configuration,
    which keeps its history. alter_job forgets a time zone that it is not told again. -#}
{%- set wanted = (after.after is defined and after.after is not none) or (after.created_before is defined and after.created_before is not none) %}
{%- if not wanted %}
{%- if facts.job_id is defined %}
CALL {{ ts|ident }}.remove_columnstore_policy({{ table }})
{%- endif %}
{%- elif facts.job_id is not defined %}
CALL {{ ts|ident }}.add_columnstore_policy({{ table }},
{%- if after.after is defined %}
    after => {{ after.after }}
{%- else %}
    created_before => {{ after.created_before }}
{%- endif %}
{%- if after.schedule.every is defined %},
    schedule_interval => {{ after.schedule.every }}
{%- endif %}
{%- if after.schedule.initial_start is defined %},
    initial_start => {{ after.schedule.initial_start }}
{%- endif %}
{%- if after.schedule.timezone is defined %},
    timezone => {{ after.schedule.timezone }}
{%- endif %})
{%- else %}
SELECT {{ ts|ident }}.alter_job(job_id
{%- if changed.after is defined %},
    config => (config - 'compress_created_before') || jsonb_build_object('compress_after', {{ after.after }})
{%- elif changed.created_before is defined %},
    config => (config - 'compress_after') || jsonb_build_object('compress_created_before', {{ after.created_before }})
{%- endif %}
{%- if changed.schedule.every is defined %},
    schedule_interval => {{ after.schedule.every }}
{%- endif %}
{%- if changed.schedule.initial_start is defined %},
    fixed_schedule => true,
    initial_start => {{ after.schedule.initial_start }}
{%- endif %}
{%- if after.schedule.timezone is defined %},
    timezone => {{ after.schedule.timezone }}
{%- elif before.schedule.timezone is defined %},
    timezone => {{ before.schedule.timezone }}
{%- endif %})
  FROM timescaledb_information.jobs
 WHERE proc_name = 'policy_compression'
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
{%- endif %}
