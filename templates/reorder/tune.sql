{# What add_reorder_policy has no argument for. alter_job forgets a time zone that it is not told again. #}
{%- if after.schedule.every is defined or after.schedule.max_runtime is defined or after.schedule.max_retries is defined or after.schedule.retry_period is defined or after.schedule.paused is defined -%}
SELECT {{ ts|ident }}.alter_job(job_id
{%- if after.schedule.every is defined %},
    schedule_interval => {{ after.schedule.every }}
{%- endif %}
{%- if after.schedule.max_runtime is defined %},
    max_runtime => {{ after.schedule.max_runtime }}
{%- endif %}
{%- if after.schedule.max_retries is defined %},
    max_retries => {{ after.schedule.max_retries }}
{%- endif %}
{%- if after.schedule.retry_period is defined %},
    retry_period => {{ after.schedule.retry_period }}
{%- endif %}
{%- if after.schedule.paused is defined %},
    scheduled => {% if after.schedule.paused %}false{% else %}true{% endif %}
{%- endif %}
{%- if after.schedule.timezone is defined %},
    timezone => {{ after.schedule.timezone }}
{%- endif %})
  FROM timescaledb_information.jobs
 WHERE proc_name = 'policy_reorder'
   AND hypertable_schema = {{ ctx.schema }}
   AND hypertable_name = {{ ctx.table }}
{%- endif %}
