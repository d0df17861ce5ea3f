{# Keeps the job, its history and the rest of its configuration. alter_job forgets a time zone that it is not told again. #}
SELECT {{ ts|ident }}.alter_job(job_id
{%- if changed.index is defined %},
    config => config || jsonb_build_object('index_name', {{ after.index }}::text)
{%- endif %}
{%- if changed.schedule.every is defined %},
    schedule_interval => {{ after.schedule.every }}
{%- endif %}
{%- if changed.schedule.initial_start is defined %},
    fixed_schedule => true,
    initial_start => {{ after.schedule.initial_start }}
{%- endif %}
{%- if changed.schedule.max_runtime is defined %},
    max_runtime => {{ after.schedule.max_runtime }}
{%- endif %}
{%- if changed.schedule.max_retries is defined %},
    max_retries => {{ after.schedule.max_retries }}
{%- endif %}
{%- if changed.schedule.retry_period is defined %},
    retry_period => {{ after.schedule.retry_period }}
{%- endif %}
{%- if changed.schedule.paused is defined %},
    scheduled => {% if after.schedule.paused %}false{% else %}true{% endif %}
{%- endif %}
{%- if after.schedule.timezone is defined %},
    timezone => {{ after.schedule.timezone }}
{%- elif before.schedule.timezone is defined %},
    timezone => {{ before.schedule.timezone }}
{%- endif %})
  FROM timescaledb_information.jobs
 WHERE proc_name = 'policy_reorder'
   AND hypertable_schema = {{ ctx.schema }}
   AND hypertable_name = {{ ctx.table }}
