{# What add_reorder_policy has no argument for. #}
{%- if after.schedule.every is defined or after.schedule.max_runtime is defined or after.schedule.max_retries is defined or after.schedule.retry_period is defined or after.schedule.paused is defined -%}
SELECT {{ ts|ident }}.alter_job(job_id
{%- if after.schedule.every is defined %},
    schedule_interval => {{ after.schedule.every }}
{%- endif %}
{%- with told = after %}{% include "job/_limits.sql" %}{% endwith %}
{%- if after.schedule.timezone is defined %},
    timezone => {{ after.schedule.timezone }}
{%- endif %})
  FROM timescaledb_information.jobs
 WHERE proc_name = 'policy_reorder'
   AND hypertable_schema = {{ ctx.schema }}
   AND hypertable_name = {{ ctx.table }}
{%- endif %}
